"""Which sources can be read from any line on, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..block_cache import BlockCache
from ..formats.probe import Header
from ..formats.tiff.container import TILE_OFFSETS, TiffReader
from ..source import Source
from .layout import PyramidLayout
from .tiff_window import TiffWindow, read_strips

if TYPE_CHECKING:
    from .plan import PyramidPlan

_ROOM_BYTES = 8 * 1024 * 1024
_WHOLE_ROWS = 128
"""Strips of up to so many lines libvips decodes as one, higher ones line by line: only those go on where they ended."""


@dataclass(frozen=True, slots=True)
class Region:
    """Some lines of a picture, from the line ``top`` of the whole on; a source and a header of their own."""

    source: Source
    header: Header
    top: int


def is_region_readable(source: Source, header: Header, layout: PyramidLayout) -> bool:
    """Whether a strip can be read at the cost of that strip: of TIFFs, in tiles or in strips that are no higher."""
    if header.format != "tiff":
        return False
    tiff = TiffReader(source.read_at)
    try:
        directory = tiff.read_directory(tiff.first)
        return TILE_OFFSETS in directory.entries or read_strips(tiff, directory).rows <= max(
            layout.strip_px, _WHOLE_ROWS
        )
    except ValueError:
        return False


def open_region(source: Source, header: Header, plan: PyramidPlan, top: int) -> Region:
    """The lines of a strip that begins at ``top``, or more: all that there are where that costs no more."""
    if not plan.by_region or _is_tiled(source):
        return Region(source, header, 0)
    rows = min(plan.layout.strip_px, header.height - top)
    window = TiffWindow(source.read_at, source.size_bytes, top, rows)
    blocks = BlockCache(window.read, window.size_bytes, capacity_bytes=_ROOM_BYTES)
    return Region(Source.from_ranges(blocks), replace(header, height=window.rows), window.top)


def _is_tiled(source: Source) -> bool:
    tiff = TiffReader(source.read_at)
    return TILE_OFFSETS in tiff.read_directory(tiff.first).entries
