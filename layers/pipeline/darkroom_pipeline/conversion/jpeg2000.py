"""The header of a JPEG 2000 image: boxes of JP2 (ISO/IEC 15444-1, annex I), or the codestream alone (annex A)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.errors import TypeNotAllowed
from darkroom.imaging.formats.image_format import Header

CONTAINER = b"\0\0\0\x0cjP  \r\n\x87\n"
CODESTREAM = b"\xff\x4f\xff\x51"
MAX_BOXES = 256
MAX_TILES = 16_384
"""Of a whole image. OpenJPEG keeps coding parameters for each tile: 3 kB for three components."""
_CMYK, _SRGB, _GREY, _SYCC = 12, 16, 17, 18
"""Enumerated colour spaces. CMYK is from ISO/IEC 15444-2."""
_RESTRICTED_ICC = 2
_SOT, _COD = 0xFF90, 0xFF52
_REVERSIBLE = 1
_MAX_BITS = 16


@dataclass(frozen=True, slots=True)
class Codestream:
    """Size and coding of the codestream. ``reversible``: the wavelet loses nothing."""

    width: int
    height: int
    components: int
    bits: int
    reversible: bool


@dataclass(frozen=True, slots=True)
class Container:
    """Boxes that matter to a decoder. ``colour``: the enumerated colour space, 0 if there is none."""

    codestream: int
    colour: int = 0
    profile: bytes = b""
    palette: bool = False


def read_header(data: bytes) -> Header:
    """Return the header. Raises ValueError, LookupError or struct.error, or TypeNotAllowed for other colour spaces."""
    container = read_container(data)
    stream = parse_codestream(data, container.codestream)
    if container.colour == _CMYK or stream.components > 4:
        raise TypeNotAllowed("The source is a JPEG 2000 image with more than three colours, which is not supported")
    alpha = stream.components in (2, 4)
    colour = "gray" if stream.components < 3 and not container.palette else "rgb"
    profile = bool(container.profile)
    return Header(
        "jp2", stream.width, stream.height, has_alpha=alpha, has_profile=profile, bits=stream.bits, colour=colour
    )


def read_container(data: bytes) -> Container:
    """Return what the boxes state; raises ValueError or LookupError."""
    if data.startswith(CODESTREAM):
        return Container(0)
    colour, profile, palette = 0, b"", False
    for kind, start, end in iter_boxes(data, 0, len(data)):
        if kind == b"jp2h":
            for inner, at, last in iter_boxes(data, start, end):
                palette |= inner == b"pclr"
                if inner != b"colr" or colour or profile:
                    continue
                if data[at] == 1:
                    [colour] = struct.unpack_from(">I", data[:last], at + 3)
                elif data[at] == _RESTRICTED_ICC:
                    profile = data[at + 3 : last]
        elif kind == b"jp2c":
            return Container(start, colour, profile, palette)
    raise ValueError("no codestream")


def iter_boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the contents of each box from ``start`` to ``end``; raises ValueError."""
    for _ in range(MAX_BOXES):
        if start >= end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            [size], head = struct.unpack_from(">Q", data, start + 8), 16
        last = end if size == 0 else start + size
        if last > end or last < start + head:
            raise ValueError(f"a box of {size} bytes")
        yield kind, start + head, last
        start = last
    raise ValueError(f"more than {MAX_BOXES} boxes")


def parse_codestream(data: bytes, at: int) -> Codestream:
    """Parse the main header of the codestream at byte ``at``; raises ValueError, LookupError or struct.error."""
    if data[at : at + 4] != CODESTREAM:
        raise ValueError("no codestream")
    right, bottom, left, top, tile_w, tile_h, tile_x, tile_y, components = struct.unpack_from(">8IH", data, at + 8)
    width, height = right - left, bottom - top
    if width < 1 or height < 1 or not tile_w or not tile_h or tile_x > left or tile_y > top or not components:
        raise ValueError("a size of nothing")
    tiles = -(-(right - tile_x) // tile_w) * -(-(bottom - tile_y) // tile_h)
    if tiles > MAX_TILES:
        raise ValueError(f"{tiles:,} tiles")
    depths = data[at + 42 : at + 42 + 3 * components : 3]
    bits = max(depth & 127 for depth in depths) + 1
    if len(depths) < components or bits > _MAX_BITS:
        raise ValueError(f"{bits} bits of {components} components")
    return Codestream(width, height, components, bits, _find_wavelet(data, at + 2) == _REVERSIBLE)


def _find_wavelet(data: bytes, at: int) -> int:
    """Return the wavelet of the marker segment COD, 0 or 1; ``at`` is the first segment."""
    for _ in range(MAX_BOXES):
        marker, length = struct.unpack_from(">2H", data, at)
        if marker == _COD:
            return data[at + 13]
        if marker == _SOT:
            break
        at += 2 + length
    raise ValueError("no coding style")


def estimate_bytes_per_pixel(header: Header) -> float:
    """Return the memory of OpenJPEG, the image, and the encoder."""
    components = (1 if header.colour == "gray" else 3) + header.has_alpha
    return 7.0 * components + 3
