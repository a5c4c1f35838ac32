"""Files of the converted formats, as other programs write them."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import cache
from typing import Any

from PIL import Image

from tests.images.sources import photo

SIZE = (96, 64)


@cache
def photograph(mode: str = "RGB") -> Image.Image:
    """A small photograph."""
    image = photo().convert("RGB").resize(SIZE)
    if mode == "RGBA":
        image.putalpha(image.getchannel("G"))
        return image
    return image.quantize(16) if mode == "P" else image.convert(mode)


def save(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def bitmap(
    width: int,
    height: int,
    bits: int,
    pixels: bytes,
    *,
    palette: Sequence[tuple[int, int, int]] = (),
    compression: int = 0,
    masks: Sequence[int] = (),
    header_size: int = 40,
) -> bytes:
    """A bitmap by its fields. ``height`` is negative if the first row is the top one."""
    colours = b"".join(bytes([blue, green, red, 0]) for red, green, blue in palette)
    header = struct.pack(
        "<I2i2H6I", header_size, width, height, 1, bits, compression, len(pixels), 0, 0, len(palette), 0
    )
    header += b"".join(mask.to_bytes(4, "little") for mask in masks)
    body = header.ljust(header_size, b"\0") + colours
    return struct.pack("<2sIHHI", b"BM", 14 + len(body) + len(pixels), 0, 0, 14 + len(body)) + body + pixels


def icon(*images: bytes, depths: Sequence[int] = ()) -> bytes:
    """An icon with ``images``, whose directory has no sizes and states ``depths``."""
    start, entries = 6 + 16 * len(images), b""
    for number, body in enumerate(images):
        depth = depths[number] if depths else 0
        entries += struct.pack("<4B2H2I", 0, 0, 0, 0, 1, depth, len(body), start)
        start += len(body)
    return struct.pack("<3H", 0, 1, len(images)) + entries + b"".join(images)


def icon_bitmap(width: int, height: int, bits: int, pixels: bytes, mask: bytes, palette: bytes = b"") -> bytes:
    """A bitmap as icons contain it: twice as high, without file header, with a mask."""
    colours = len(palette) // 4
    header = struct.pack("<I2i2H6I", 40, width, 2 * height, 1, bits, 0, 0, 0, 0, colours, 0)
    return header + palette + pixels + mask


def samples() -> dict[str, bytes]:
    """One file of each variant."""
    grey16 = photograph("L").convert("I").point(lambda level: level * 257).convert("I;16")
    return {
        "bmp": save(photograph(), "BMP"),
        "bmp palette": save(photograph("P"), "BMP"),
        "bmp grey": save(photograph("L"), "BMP"),
        "bmp bilevel": save(photograph("1"), "BMP"),
        "bmp 32 bit": save(photograph("RGBA"), "BMP"),
        "ico": save(photograph("RGBA"), "ICO", sizes=[(16, 16), (48, 32)], bitmap_format="bmp"),
        "ico png": save(photograph("RGBA"), "ICO", sizes=[(16, 16), (96, 64)]),
        "jp2": save(photograph(), "JPEG2000"),
        "jp2 grey": save(photograph("L"), "JPEG2000"),
        "jp2 alpha": save(photograph("RGBA"), "JPEG2000"),
        "jp2 lossy": save(photograph(), "JPEG2000", irreversible=True, quality_mode="dB", quality_layers=[40]),
        "jp2 codestream": save(photograph(), "JPEG2000", no_jp2=True),
        "jp2 16 bit": save(grey16, "JPEG2000"),
    }
