"""Which sources can be read from any line on, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..block_cache import BlockCache
from ..formats.probe import Header
from ..formats.tiff.container import TILE_OFFSETS, TiffReader
from ..source import Source
from .tiff_window import TiffWindow, read_strips

_ROOM_BYTES = 8 * 1024 * 1024
_WHOLE_ROWS = 128
"""Strips of up to so many lines libvips decodes as one, higher ones line by line: only those go on where they ended."""


@dataclass(frozen=True, slots=True)
class Region:
    """Some lines of a picture, from the line ``top`` of the whole on; a source and a header of their own."""

    source: Source
    header: Header
    top: int


def is_region_readable(source: Source, header: Header, rows: int) -> bool:
    """Return whether ``rows`` lines can be read at the cost of those lines: of TIFFs in tiles, or in strips as low."""
    if header.format != "tiff":
        return False
    tiff = TiffReader(source.read_at)
    try:
        directory = tiff.read_directory(tiff.first)
        return TILE_OFFSETS in directory.entries or read_strips(tiff, directory).rows <= max(rows, _WHOLE_ROWS)
    except ValueError:
        return False


def open_region(source: Source, header: Header, top: int, rows: int) -> Region:
    """Open ``rows`` lines from ``top`` on of what :func:`is_region_readable`, or all lines where that costs no more."""
    if _is_tiled(source):
        return Region(source, header, 0)
    window = TiffWindow(source.read_at, source.size_bytes, top, min(rows, header.height - top))
    blocks = BlockCache(window.read, window.size_bytes, capacity_bytes=_ROOM_BYTES)
    return Region(Source.from_ranges(blocks), replace(header, height=window.rows), window.top)


def _is_tiled(source: Source) -> bool:
    tiff = TiffReader(source.read_at)
    return TILE_OFFSETS in tiff.read_directory(tiff.first).entries
