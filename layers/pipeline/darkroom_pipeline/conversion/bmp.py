"""The header of a Windows bitmap, and its colour profile."""

from __future__ import annotations

import struct
from typing import NamedTuple

from darkroom.errors import TypeNotAllowed
from darkroom.imaging.formats.image_format import Header

FILE_HEADER_BYTES = 14
CORE, INFO, V5 = 12, 40, 124
"""Sizes of BITMAPCOREHEADER, BITMAPINFOHEADER and BITMAPV5HEADER (Windows GDI documentation)."""
HEADER_SIZES = (CORE, INFO, 52, 56, 64, 108, V5)
DEPTHS = (1, 4, 8, 16, 24, 32)
RGB, RLE8, RLE4, BITFIELDS = range(4)
"""Values of biCompression."""
_NAMES = {4: "JPEG data", 5: "PNG data"}
_MASKS: dict[int, tuple[tuple[int, ...], ...]] = {
    16: ((0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)),
    24: ((0xFF0000, 0xFF00, 0xFF),),
    32: (
        (0xFF0000, 0xFF00, 0xFF),
        (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
        (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        (0xFF000000, 0xFF0000, 0xFF00),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        (0xFF000000, 0xFF00, 0xFF),
        (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
    ),
}
"""Of red, green, blue and alpha, that Pillow reads, by bits per pixel."""
_EMBEDDED = b"DEBM"
"""``PROFILE_EMBEDDED`` in the field bV5CSType."""


class Bitmap(NamedTuple):
    """A device-independent bitmap. ``height`` is positive. ``palette_bytes`` follow the header, ``masks`` included."""

    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    has_alpha: bool
    palette_bytes: int

    @property
    def row_bytes(self) -> int:
        """Bytes of an uncompressed row, a multiple of four."""
        return (self.width * self.bits + 31) // 32 * 4


def parse_bitmap(data: bytes, at: int) -> Bitmap:
    """Parse the header at byte ``at``. Raises ValueError, struct.error or TypeNotAllowed."""
    size = int.from_bytes(data[at : at + 4], "little")
    if size not in HEADER_SIZES:
        raise ValueError(f"a header of {size} bytes")
    if size == CORE:
        width, height, _, bits = struct.unpack_from("<4H", data, at + 4)
        return _check(Bitmap(width, height, False, bits, RGB, False, 3 << bits if bits <= 8 else 0))
    width, height, _, bits, compression = struct.unpack_from("<2i2HI", data, at + 4)
    colours = int.from_bytes(data[at + 32 : at + 36], "little")
    if bits <= 8 and colours > 1 << bits:
        raise ValueError(f"{colours} colours of {bits} bits")
    extra = 4 * (colours or 1 << bits) if bits <= 8 else 12 * (size == INFO and compression == BITFIELDS)
    alpha = compression == BITFIELDS and size >= 56 and any(data[at + 52 : at + 56])
    bitmap = _check(Bitmap(width, abs(height), height < 0, bits, compression, alpha, extra))
    if compression == BITFIELDS:
        _check_masks(struct.unpack_from(f"<{3 + alpha}I", data, at + INFO), bits)
    return bitmap


def _check_masks(masks: tuple[int, ...], bits: int) -> None:
    if masks[: 3 if bits < 32 else 4] not in _MASKS[bits]:
        raise _refuse("unusual masks of its colours")


def _refuse(name: str) -> TypeNotAllowed:
    return TypeNotAllowed(f"The source is a Windows bitmap with {name}, which is not supported")


def _check(bitmap: Bitmap) -> Bitmap:
    """Return ``bitmap`` if its fields fit together; raises ValueError or TypeNotAllowed."""
    allowed = {RGB: DEPTHS, RLE8: (8,), RLE4: (4,), BITFIELDS: (16, 24, 32)}
    if bitmap.compression not in allowed:
        raise _refuse(_NAMES.get(bitmap.compression, f"compression {bitmap.compression}"))
    if bitmap.width < 1 or bitmap.height < 1:
        raise ValueError(repr(bitmap))
    if bitmap.bits not in allowed[bitmap.compression] or (bitmap.top_down and bitmap.compression in (RLE8, RLE4)):
        raise ValueError(repr(bitmap))
    return bitmap


def read_header(data: bytes) -> Header:
    """Return the header. Raises ValueError if pixels are missing, struct.error, or TypeNotAllowed."""
    bitmap = parse_bitmap(data, FILE_HEADER_BYTES)
    [size] = struct.unpack_from("<I", data, FILE_HEADER_BYTES)
    [start] = struct.unpack_from("<I", data, 10)
    if start < FILE_HEADER_BYTES + size:
        raise ValueError(f"pixels from byte {start}")
    if bitmap.compression in (RGB, BITFIELDS) and len(data) - start < bitmap.row_bytes * bitmap.height:
        raise ValueError("pixels are missing")
    return Header("bmp", bitmap.width, bitmap.height, has_alpha=bitmap.has_alpha)


def find_profile(data: bytes) -> bytes:
    """Return the embedded ICC profile of a bitmap with BITMAPV5HEADER; empty if there is none."""
    size, kind = data[FILE_HEADER_BYTES : FILE_HEADER_BYTES + 4], data[FILE_HEADER_BYTES + 56 : FILE_HEADER_BYTES + 60]
    if int.from_bytes(size, "little") != V5 or kind != _EMBEDDED or len(data) < FILE_HEADER_BYTES + V5:
        return b""
    at, length = struct.unpack_from("<2I", data, FILE_HEADER_BYTES + 112)
    profile = data[FILE_HEADER_BYTES + at : FILE_HEADER_BYTES + at + length]
    return profile if len(profile) == length else b""


def estimate_bytes_per_pixel(header: Header) -> float:
    """Return the memory of the decoder: Pillow's image, its copies, and the rows of an RLE bitmap."""
    return 14.0 if header.has_alpha else 10.0
