"""Tiled TIFFs of one picture each bound into one file of pages and their smaller versions, to be read from its front.

All directories come first, then the tiles, those of the smallest picture first. So a stream that is after a small
version ends before the large ones, as with cloud-optimised GeoTIFF. libtiff would write them the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import NamedTuple

from .tiff import REDUCED, SUB_DIRECTORIES, SUBFILE, TILE_BYTES, TILE_OFFSETS, Layout, Tiff

MAX_TILES = 1_000_000
_LAYOUT = Layout("little", 4, 2, 12)
_HEAD = b"II\x2a\0" + (8).to_bytes(4, "little")
_LONG = 4


class _Value(NamedTuple):
    """What a tag holds: the type, the number of values and their bytes."""

    kind: int
    values: int
    body: bytes

    @classmethod
    def longs(cls, numbers: Iterable[int]) -> _Value:
        body = b"".join(number.to_bytes(4, "little") for number in numbers)
        return cls(_LONG, len(body) // 4, body)

    @property
    def outside_bytes(self) -> int:
        """How much of it does not fit in its entry, rounded up to a whole word as TIFF wants it."""
        return len(self.body) + (len(self.body) & 1) if len(self.body) > _LAYOUT.offset else 0


@dataclass(slots=True)
class _Sheet:
    """One picture of a file: its tags but for places, its tiles, its smaller versions, and where all that will be."""

    values: dict[int, _Value]
    tiles: list[memoryview]
    levels: list[_Sheet] = field(default_factory=list)
    at: int = 0
    tiles_at: int = 0
    following: int = 0

    @property
    def tile_bytes(self) -> int:
        return sum(map(len, self.tiles))

    @property
    def placed(self) -> dict[int, _Value]:
        """Its tags in order, those of places included."""
        starts = accumulate(map(len, self.tiles[:-1]), initial=self.tiles_at)
        places = {TILE_OFFSETS: _Value.longs(starts)}
        if self.levels:
            places[SUB_DIRECTORIES] = _Value.longs(level.at for level in self.levels)
        return dict(sorted((self.values | places).items()))

    @property
    def values_at(self) -> int:
        """Where the values begin that do not fit in their entries."""
        return self.at + _LAYOUT.length + _LAYOUT.entry * len(self.placed) + _LAYOUT.offset

    @property
    def end(self) -> int:
        """Where its directory ends, with the values."""
        return self.values_at + sum(value.outside_bytes for value in self.placed.values())


def bound(pages: Sequence[Sequence[bytes]]) -> bytes:
    """One TIFF of pages, each given as little-endian tiled TIFFs: the picture in full, then its smaller versions.

    Raises ValueError for files that are built otherwise, and OverflowError above 4 GB.
    """
    mains = [_page(files) for files in pages]
    sheets = [sheet for main in mains for sheet in (main, *main.levels)]
    at = len(_HEAD)
    for sheet in sheets:
        sheet.at = at
        at = sheet.end
    by_size = sorted(sheets, key=lambda sheet: sheet.tile_bytes)
    for sheet in by_size:
        sheet.tiles_at = at
        at += sheet.tile_bytes
    for page, following in pairwise(mains):
        page.following = following.at
    return b"".join([_HEAD, *map(_directory, sheets), *(tile for sheet in by_size for tile in sheet.tiles)])


def _page(files: Sequence[bytes]) -> _Sheet:
    main, *levels = map(_sheet, files)
    for level in levels:
        level.values[SUBFILE] = _Value.longs([REDUCED])
    main.levels = levels
    return main


def _sheet(file: bytes) -> _Sheet:
    tiff = Tiff(lambda at, length: file[at : at + length])
    directories = tiff.chain()
    if tiff.layout != _LAYOUT or len(directories) != 1 or SUB_DIRECTORIES in directories[0].entries:
        raise ValueError("not a little-endian TIFF of one picture")
    entries = directories[0].entries
    values = {
        tag: _Value(entry.kind, entry.values, tiff.body(entry, len(file)))
        for tag, entry in entries.items()
        if tag != TILE_OFFSETS
    }
    places, sizes = (tiff.numbers(directories[0], tag, MAX_TILES) for tag in (TILE_OFFSETS, TILE_BYTES))
    if not places:
        raise ValueError("not tiled")
    whole = memoryview(file)
    return _Sheet(values, [whole[place : place + size] for place, size in zip(places, sizes, strict=True)])


def _directory(sheet: _Sheet) -> bytes:
    """The directory of a sheet that has its place, with its values."""
    placed = sheet.placed
    entries, outside = bytearray(), bytearray()
    for tag, value in placed.items():
        entries += tag.to_bytes(2, "little") + value.kind.to_bytes(2, "little") + value.values.to_bytes(4, "little")
        if value.outside_bytes:
            entries += (sheet.values_at + len(outside)).to_bytes(4, "little")
            outside += value.body.ljust(value.outside_bytes, b"\0")
        else:
            entries += value.body.ljust(_LAYOUT.offset, b"\0")
    return len(placed).to_bytes(2, "little") + entries + sheet.following.to_bytes(4, "little") + outside
