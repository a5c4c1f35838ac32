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


def resource(number: int, body: bytes) -> bytes:
    """An image resource of a Photoshop document, without a name."""
    return struct.pack(">4sHHI", b"8BIM", number, 0, len(body)) + body + bytes(len(body) % 2)


def document(
    planes: Sequence[bytes],
    mode: int,
    *,
    bits: int = 8,
    size: tuple[int, int] = SIZE,
    runs: bool = False,
    palette: bytes = b"",
    resources: bytes = b"",
    layers: bytes = b"",
    compression: int | None = None,
    version: int = 1,
) -> bytes:
    """A Photoshop document by its fields. ``runs``: PackBits, of literal bytes only."""
    width, height = size
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, len(planes), height, width, bits, mode)
    for section in (palette, resources, layers):
        head += len(section).to_bytes(4) + section
    head += (int(runs) if compression is None else compression).to_bytes(2)
    if not runs:
        return head + b"".join(planes)
    row_bytes = (width * bits + 7) // 8
    rows = [_pack(plane[at : at + row_bytes]) for plane in planes for at in range(0, row_bytes * height, row_bytes)]
    return head + b"".join(len(row).to_bytes(2) for row in rows) + b"".join(rows)


def _pack(row: bytes) -> bytes:
    pieces = [row[at : at + 128] for at in range(0, len(row), 128)]
    return b"".join(bytes([len(piece) - 1]) + piece for piece in pieces)


TRANSPARENT = struct.pack(">Ih", 2, -1)
"""A section of layers whose composite image has transparency."""


def save_document(mode: str, **fields: Any) -> bytes:
    """The photograph as a Photoshop document."""
    image = photograph(mode)
    number = {"1": 0, "L": 1, "P": 2, "RGB": 3, "RGBA": 3, "CMYK": 4}[mode]
    planes = [band.tobytes("raw", "1;I") if mode == "1" else band.tobytes() for band in image.split()]
    if mode == "CMYK":
        planes = [bytes(255 - level for level in plane) for plane in planes]
    if fields.get("bits") == 16:
        planes = [bytes(byte for level in plane for byte in (level, 77)) for plane in planes]
    colours = image.getpalette() or []
    fields["palette"] = b"".join(bytes(colours[at::3]).ljust(256, b"\0") for at in range(3)) if colours else b""
    return document(planes, number, layers=TRANSPARENT if mode == "RGBA" else b"", **fields)


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
        "psd": save_document("RGB"),
        "psd grey": save_document("L"),
        "psd bilevel": save_document("1", bits=1),
        "psd palette": save_document("P", runs=True),
        "psd alpha": save_document("RGBA", runs=True),
        "psd 16 bit": save_document("RGB", bits=16, runs=True),
        "psd cmyk": save_document("CMYK"),
    }
