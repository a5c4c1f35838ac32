"""TIFF headers: the directories of TIFF 6.0 and BigTIFF."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import TypeNotAllowed
from ..source import Source
from .model import Header

MAX_PAGES = 10_000
"""A file with more directories than this is damaged or hostile; libtiff stops at 65,535."""
MAX_CHANNELS = 5
"""CMYK with alpha."""
MAX_TILE_PIXELS = 64_000_000
"""libtiff decodes a tile as a whole, and a tile may be larger than its picture."""

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION, _CHANNELS = 256, 257, 258, 262, 274, 277
_TILE_WIDTH, _TILE_HEIGHT, _SUBFILE, _SUB_DIRECTORIES, _EXTRA, _PROFILE, _DNG = 322, 323, 254, 330, 338, 34675, 50706
_SIZES = {1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_COLOURS = {0: "gray", 1: "gray", 2: "rgb", 3: "rgb", 5: "cmyk", 6: "rgb", 8: "lab", 9: "lab", 10: "lab"}
_OWN_CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4, "lab": 3}
_RAW = "The source is a camera raw file; served are JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF and SVG"


class _Layout(NamedTuple):
    """How a directory is written: byte order, and the sizes in bytes of an offset, a number of entries and an entry."""

    order: str
    offset: int
    length: int
    entry: int


def read(source: Source, page: int) -> Header:
    """The header of a TIFF's ``page``, or its last one; raises ValueError, or TypeNotAllowed for camera raw files."""
    layout, first = _opening(source)
    directories = _directories(source, layout, first)
    first_tags = _tags(source, layout, directories[0])
    if _DNG in first_tags or (_SUB_DIRECTORIES in first_tags and first_tags.get(_SUBFILE, 0) & 1):
        raise TypeNotAllowed(_RAW)
    tags = _tags(source, layout, directories[min(page, len(directories) - 1)])
    photometric = tags.get(_PHOTOMETRIC, 1)
    channels = tags.get(_CHANNELS, 1)
    if tags.get(_TILE_WIDTH, 1) * tags.get(_TILE_HEIGHT, 1) > MAX_TILE_PIXELS:
        raise ValueError("a tile is too large")
    if photometric not in _COLOURS or not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"photometric {photometric} with {channels} channels")
    colour = _COLOURS[photometric]
    own = 1 if photometric == 3 else _OWN_CHANNELS[colour]
    turn = tags.get(_ORIENTATION, 1)
    return Header(
        "tiff",
        tags.get(_WIDTH, 0),
        tags.get(_HEIGHT, 0),
        frames=len(directories),
        orientation=turn if 1 <= turn <= 8 else 1,
        has_alpha=channels > own,
        has_profile=_PROFILE in tags,
        bits=tags.get(_BITS, 1),
        colour=colour,
    )


def _opening(source: Source) -> tuple[_Layout, int]:
    head = source.read_at(0, 16)
    order = "little" if head[:2] == b"II" else "big"
    if head[2:4] in (b"\x2b\0", b"\0\x2b"):
        return _Layout(order, 8, 8, 20), _number(head[8:16], order)
    return _Layout(order, 4, 2, 12), _number(head[4:8], order)


def _directories(source: Source, layout: _Layout, first: int) -> list[int]:
    """Where each page's directory begins; raises ValueError on a loop or where there are too many."""
    found: dict[int, None] = {}
    at = first
    while at:
        if at in found or len(found) >= MAX_PAGES:
            raise ValueError("the directories have no end")
        found[at] = None
        entries = _number(_whole(source, at, layout.length), layout.order)
        at = _number(_whole(source, at + layout.length + entries * layout.entry, layout.offset), layout.order)
    if not found:
        raise ValueError("no directory")
    return list(found)


def _tags(source: Source, layout: _Layout, at: int) -> dict[int, int]:
    """The first value of each tag of a directory that holds numbers; 0 where it lies elsewhere and is not needed."""
    entries = _number(_whole(source, at, layout.length), layout.order)
    block = _whole(source, at + layout.length, entries * layout.entry)
    found: dict[int, int] = {}
    for start in range(0, len(block), layout.entry):
        entry = block[start : start + layout.entry]
        tag, kind = _number(entry[:2], layout.order), _number(entry[2:4], layout.order)
        size = _SIZES.get(kind, 0)
        value = entry[layout.entry - layout.offset :]
        if size * _number(entry[4 : layout.entry - layout.offset], layout.order) > layout.offset:
            value = source.read_at(_number(value, layout.order), size) if tag == _BITS else b""
        found.setdefault(tag, _number(value[:size], layout.order))
    return found


def _whole(source: Source, at: int, length: int) -> bytes:
    data = source.read_at(at, length)
    if len(data) < length:
        raise ValueError("the data ends in a directory")
    return data


def _number(data: bytes, order: str) -> int:
    return int.from_bytes(data, "little" if order == "little" else "big")
