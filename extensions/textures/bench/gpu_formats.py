"""Encode one image in formats of GPUs, without transcoding: ``python gpu_formats.py < image.png``.

Runs with the packages of ``requirements.txt`` alone. Prints JSON: for each format the bytes of all mip levels, those
after zlib, CPU seconds, and the PSNR of the largest level.
"""

from __future__ import annotations

import io
import json
import math
import sys
import time
import zlib
from collections.abc import Callable, Iterator

import astc_encoder  # type: ignore[import-not-found]
import etcpak  # type: ignore[import-not-found]
import texture2ddecoder  # type: ignore[import-not-found]
from PIL import Image

type Encode = Callable[[Image.Image], bytes]
type Decode = Callable[[bytes, Image.Image], Image.Image]


def list_levels(image: Image.Image) -> Iterator[Image.Image]:
    """Yield ``image`` and its reductions to half, as long as they are whole blocks of every format."""
    while min(image.size) >= 12:
        yield image
        image = image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.Resampling.BOX)


def encode_astc(block: int) -> tuple[Encode, Decode]:
    """Return encoder and decoder of ASTC with blocks of ``block`` × ``block`` px."""
    config = astc_encoder.ASTCConfig(astc_encoder.ASTCProfile.LDR_SRGB, block, block, 1, 60)
    swizzle = astc_encoder.ASTCSwizzle.from_str("RGBA")

    def encode(image: Image.Image) -> bytes:
        pixels = astc_encoder.ASTCImage(astc_encoder.ASTCType.U8, *image.size, 1, image.tobytes())
        return bytes(astc_encoder.ASTCContext(config).compress(pixels, swizzle))

    def decode(data: bytes, image: Image.Image) -> Image.Image:
        target = astc_encoder.ASTCImage(astc_encoder.ASTCType.U8, *image.size, 1)
        astc_encoder.ASTCContext(config).decompress(data, target, swizzle)
        return Image.frombytes("RGBA", image.size, target.data)

    return encode, decode


def encode_etc2() -> tuple[Encode, Decode]:
    """Return encoder and decoder of ETC2 with alpha."""

    def decode(data: bytes, image: Image.Image) -> Image.Image:
        pixels = texture2ddecoder.decode_etc2a8(data, *image.size)
        return Image.frombytes("RGBA", image.size, pixels, "raw", "BGRA")

    return lambda image: bytes(etcpak.compress_etc2_rgba(image.tobytes(), *image.size)), decode


def score(one: Image.Image, other: Image.Image) -> float:
    """Return the PSNR of the colours in dB."""
    pairs = zip(one.convert("RGB").tobytes(), other.convert("RGB").tobytes(), strict=True)
    error = sum((a - b) ** 2 for a, b in pairs) / (one.width * one.height * 3)
    return 10 * math.log10(255**2 / error) if error else 99.0


def main() -> None:
    """Encode the image of standard input in each format."""
    image = Image.open(io.BytesIO(sys.stdin.buffer.read())).convert("RGBA")
    found = {}
    for name, (encode, decode) in {
        "ASTC 4 × 4": encode_astc(4),
        "ASTC 6 × 6": encode_astc(6),
        "ETC2": encode_etc2(),
    }.items():
        started_s = time.process_time()
        levels = [encode(level) for level in list_levels(image)]
        took_s = time.process_time() - started_s
        whole = b"".join(levels)
        found[name] = [len(whole), len(zlib.compress(whole, 9)), took_s, score(image, decode(levels[0], image))]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
