"""Windows icons: the largest image of one."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import NamedTuple

from darkroom.imaging.formats.image_format import Header

from . import bmp

DIRECTORY_BYTES, ENTRY_BYTES = 6, 16
MAX_ENTRIES = 256
"""Icons have one image for each size and depth: tens."""
PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {2: 3, 4: 2, 6: 4}
"""By colour type, where there are more than one."""


class Icon(NamedTuple):
    """One image of an icon. ``body`` is a PNG file, or a bitmap without file header and a mask of transparency.

    ``depth`` is the number of bits of a pixel.
    """

    body: bytes
    header: Header
    depth: int

    @property
    def is_png(self) -> bool:
        """Return whether it is a whole PNG file."""
        return self.body.startswith(PNG)


def read_header(data: bytes) -> Header:
    """Return the header of the largest image. Raises ValueError, LookupError, struct.error or TypeNotAllowed."""
    return replace(find_largest(data).header, format="ico")


def find_largest(data: bytes) -> Icon:
    """Return the image with most pixels, of these the one with most colours.

    Sizes are those of the images: the directory has no size above 256. Images that are damaged are left out, unless
    all are.
    """
    [number] = struct.unpack_from("<H", data, 4)
    if not 1 <= number <= MAX_ENTRIES:
        raise ValueError(f"{number} images")
    icons, faults = list[Icon](), list[Exception]()
    for entry in range(number):
        try:
            icons.append(_read_icon(data, DIRECTORY_BYTES + ENTRY_BYTES * entry))
        except (ValueError, LookupError, struct.error) as error:
            faults.append(error)
    if not icons:
        raise faults[0]
    return max(icons, key=lambda icon: (icon.header.width * icon.header.height, icon.depth))


def _read_icon(data: bytes, at: int) -> Icon:
    size, start = struct.unpack_from("<2I", data, at + 8)
    body = data[start : start + size]
    if len(body) < size or start < DIRECTORY_BYTES + ENTRY_BYTES:
        raise ValueError("an image is cut off")
    if body.startswith(PNG):
        width, height, bits, kind = struct.unpack_from(">2I2B", body, 16)
        header = Header("ico", width, height, has_alpha=bool(kind & 4), bits=bits)
        return Icon(body, header, bits * _PNG_CHANNELS.get(kind, 1))
    bitmap = bmp.parse_bitmap(body, 0)
    height = bitmap.height // 2
    if bitmap.compression != bmp.RGB or bitmap.top_down or bitmap.height % 2 or not height:
        raise ValueError(repr(bitmap))
    pixels, mask = bitmap.row_bytes * height, get_mask_row_bytes(bitmap.width) * height
    there = len(body) - int.from_bytes(body[:4], "little") - bitmap.palette_bytes
    if there < pixels + (mask if bitmap.bits < 32 else 0):
        raise ValueError("an image is cut off")
    return Icon(body, Header("ico", bitmap.width, height, has_alpha=True), bitmap.bits)


def get_mask_row_bytes(width: int) -> int:
    """Return the bytes of a row of the mask, one bit a pixel."""
    return (width + 31) // 32 * 4


def wrap(icon: Icon) -> bytes:
    """Return an icon file with one image, whose directory states the depth of the image itself."""
    width, height = icon.header.width, icon.header.height
    sides = (side if side < 256 else 0 for side in (width, height))
    entry = struct.pack("<4B2H2I", *sides, 0, 0, 1, icon.depth, len(icon.body), DIRECTORY_BYTES + ENTRY_BYTES)
    return struct.pack("<3H", 0, 1, 1) + entry + icon.body


def estimate_bytes_per_pixel(header: Header) -> float:
    """Return the memory of the decoder: the image, the mask and their copies."""
    del header
    return 14.0
