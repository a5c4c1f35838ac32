"""Tiled TIFFs of one picture each bound into one file of pages and their smaller versions, to be read from its front.

All directories come first, then the tiles, those of the smallest picture first. So a stream that is after a small
version ends before the large ones, as with cloud-optimised GeoTIFF. libtiff would write them the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from ..formats.tiff.container import REDUCED, SUB_DIRECTORIES, SUBFILE, TILE_BYTES, TILE_OFFSETS
from .tiff_write import CLASSIC, Directory, Value, file_header, read_tiled


@dataclass(slots=True)
class _Image:
    """One picture of a file: its tags but for places, its tiles, its smaller versions, and where all that will be."""

    values: dict[int, Value]
    tiles: list[memoryview]
    levels: list[_Image] = field(default_factory=list)
    at: int = 0
    tiles_at: int = 0
    next_at: int = 0

    @property
    def tile_bytes(self) -> int:
        return sum(map(len, self.tiles))

    @property
    def directory(self) -> Directory:
        """Its tags, those of places included."""
        starts = accumulate(map(len, self.tiles[:-1]), initial=self.tiles_at)
        placed = {
            TILE_OFFSETS: Value.offsets(starts, CLASSIC),
            TILE_BYTES: Value.longs(map(len, self.tiles)),
        }
        if self.levels:
            placed[SUB_DIRECTORIES] = Value.offsets((level.at for level in self.levels), CLASSIC)
        return Directory(self.values | placed, CLASSIC, self.at, self.next_at)


def join_pages(pages: Sequence[Sequence[bytes]]) -> bytes:
    """One TIFF of pages, each given as little-endian tiled TIFFs: the picture in full, then its smaller versions.

    Raises ValueError for files that are built otherwise, and OverflowError above 4 GB.
    """
    mains = [_read_page(files) for files in pages]
    sheets = [sheet for main in mains for sheet in (main, *main.levels)]
    at = len(file_header(CLASSIC))
    for sheet in sheets:
        sheet.at = at
        at = sheet.directory.end
    by_size = sorted(sheets, key=lambda sheet: sheet.tile_bytes)
    for sheet in by_size:
        sheet.tiles_at = at
        at += sheet.tile_bytes
    for page, following in pairwise(mains):
        page.next_at = following.at
    directories = (sheet.directory.to_bytes() for sheet in sheets)
    return b"".join([file_header(CLASSIC), *directories, *(tile for sheet in by_size for tile in sheet.tiles)])


def _read_page(files: Sequence[bytes]) -> _Image:
    main, *levels = (_Image(dict(found.values), found.tiles) for found in map(read_tiled, files))
    for level in levels:
        level.values[SUBFILE] = Value.longs([REDUCED])
    main.levels = levels
    return main
