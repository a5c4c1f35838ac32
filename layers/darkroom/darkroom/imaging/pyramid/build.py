"""Pyramids made in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import pyvips

from ...errors import OverLimits
from ...plan.limits import Limits
from ..colour.convert import to_eight_bits
from ..formats.encode import is_drawing
from ..formats.probe import Header, probe
from ..formats.tiff.container import REDUCED, SUB_DIRECTORIES, SUBFILE, TILE_BYTES, TILE_OFFSETS
from ..render.output import DRAWING_FORMATS
from ..render.pipeline import internal_errors
from ..source import Source
from .tiff_write import CLASSIC, Directory, Value, file_header, read_tiled
from .tiles import (
    CONTENT_TYPE,
    DEFLATED,
    LOSSY,
    TILE_PX,
    TileOptions,
    can_be_jpeg,
    halve,
    load_page,
    open_tiled,
    save_tiled,
)

__all__ = ["CONTENT_TYPE", "build_pyramid"]

FAST_DEFLATE_PIXELS = 16_000_000
"""Above this, tiles are deflated at level 1: 23 ms a megapixel for 8 bits and 70 for 16, against 93 at level 6 for
0.63 of the bytes."""

_COMPACT: TileOptions = {"compression": "jpeg", "Q": 85}
_COMPACT_ALPHA: TileOptions = {"compression": "webp", "Q": 85}
"""A third of the bytes: chroma at half size."""


def build_pyramid(source: Source, header: Header, *, limits: Limits, compact: bool = False) -> bytes:
    """The pyramid of a still picture or of a TIFF's pages, in sRGB or grey, without metadata.

    Photographs of 8 bits a channel become JPEG tiles, everything else is kept losslessly: transparency, 16 bits,
    drawings. ``thrifty`` keeps 8 bits and nothing losslessly. Stored as it was turned, with the one tag that says how.
    Raises OverLimits where the pages have too many pixels together, or Damaged.
    """
    pages = _inspect_pages(source, header, limits)
    return join_pages(
        [_build_levels(source, page, number, limits, compact=compact) for number, page in enumerate(pages)]
    )


def _inspect_pages(source: Source, header: Header, limits: Limits) -> list[Header]:
    if header.format != "tiff":
        return [header]
    pages = [probe(source, limits, page=number) for number in range(header.frames)]
    pixels = sum(page.width * page.height for page in pages)
    if pixels > limits.max_pixels:
        raise OverLimits(
            f"The source has {pixels:,} pixels on {len(pages)} pages; the limit is {limits.max_pixels:,} together"
        )
    return pages


def _build_levels(source: Source, header: Header, number: int, limits: Limits, *, compact: bool) -> list[bytes]:
    """A page in full, then halved until it is one tile: a tiled TIFF each."""
    image = load_page(source, header, number, limits)
    if compact:
        image = to_eight_bits(image)
        knobs = _COMPACT_ALPHA if image.hasalpha() else _COMPACT
    else:
        knobs = _tile_options(image, lossy=_is_photograph(source, header, number, limits))
    with source.decoding():
        sheets = [save_tiled(image, knobs)]
    with internal_errors():
        while max(image.width, image.height) > TILE_PX:
            image = halve(open_tiled(sheets[-1]))
            sheets.append(save_tiled(image, knobs))
    return sheets


def _is_photograph(source: Source, header: Header, number: int, limits: Limits) -> bool:
    """Whether nothing is seen of what JPEG loses. Takes a pass of its own, where the picture may be a drawing."""
    if header.has_alpha:
        return False
    if header.format not in DRAWING_FORMATS:
        return True
    with source.decoding():
        return not is_drawing(load_page(source, header, number, limits))


def _tile_options(image: pyvips.Image, *, lossy: bool) -> TileOptions:
    """How the tiles are compressed."""
    if lossy and can_be_jpeg(image):
        return LOSSY
    level = 6 if image.width * image.height <= FAST_DEFLATE_PIXELS else 1
    return DEFLATED | {"level": level}


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
