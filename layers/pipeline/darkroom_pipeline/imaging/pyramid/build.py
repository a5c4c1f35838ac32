"""Pyramids made in one piece: tiled TIFFs that hold each page in full and halved, again and again.

A small derivative reads the nearest larger level (see :mod:`..formats.load`), which comes first in the file. Pages stay
pages, whatever their sizes. The tiles of a page are encoded while it is decoded, and each half from the tiles before,
so that pixels are never all in memory unless a page's own decoder needs them there.

All directories come first, then the tiles, those of the smallest level first. So a stream that reads a small level ends
before the large ones, as with cloud-optimised GeoTIFF. libtiff would write them the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import pyvips

from darkroom.errors import OverLimits
from darkroom.imaging.colour.convert import to_eight_bits
from darkroom.imaging.formats.encode import is_drawing
from darkroom.imaging.formats.probe import Header, probe
from darkroom.imaging.formats.registry import COMPACT_ALPHA_TILES, SOURCE_FORMATS
from darkroom.imaging.formats.tiff.container import REDUCED, Tag
from darkroom.imaging.render.pipeline import internal_errors
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits

from .tiff_write import CLASSIC, Directory, Value, file_header, read_tiled
from .tiles import DEFLATED, LOSSY, TILE_PX, TileOptions, can_be_jpeg, halve, load_page, open_tiled, save_tiled

FAST_DEFLATE_PIXELS = 16_000_000
"""Above this, tiles are deflated at level 1: 23 ms a megapixel for 8 bits and 70 for 16, against 93 at level 6 for 0.63
of the bytes."""

_COMPACT: TileOptions = {"compression": "jpeg", "Q": 85}
_COMPACT_ALPHA: TileOptions = COMPACT_ALPHA_TILES
"""A third of the bytes: chroma at half size."""


def build_pyramid(source: Source, header: Header, *, limits: Limits, compact: bool = False) -> bytes:
    """Build the pyramid of a still image or of a TIFF's pages, in sRGB or grey, without metadata.

    Photographs of 8 bits a channel become JPEG tiles; transparency, 16 bits and drawings are stored losslessly.
    ``compact`` stores 8 bits and nothing losslessly. The orientation stays as stored, with its tag. Raises OverLimits
    where the pages have too many pixels together, or DamagedSource.
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
    """Return a page in full, then halved until it is one tile: a tiled TIFF each."""
    image = load_page(source, header, number, limits)
    if compact:
        image = to_eight_bits(image)
        options = _COMPACT_ALPHA if image.hasalpha() else _COMPACT
    else:
        options = _tile_options(image, lossy=_is_photograph(source, header, number, limits))
    with source.decoding():
        images = [save_tiled(image, options)]
    with internal_errors():
        while max(image.width, image.height) > TILE_PX:
            image = halve(open_tiled(images[-1]))
            images.append(save_tiled(image, options))
    return images


def _is_photograph(source: Source, header: Header, number: int, limits: Limits) -> bool:
    """Return whether JPEG's losses are invisible. Takes a pass of its own, where the image may be a drawing."""
    if header.has_alpha:
        return False
    if not SOURCE_FORMATS[header.format].may_be_drawing:
        return True
    with source.decoding():
        return not is_drawing(load_page(source, header, number, limits))


def _tile_options(image: pyvips.Image, *, lossy: bool) -> TileOptions:
    """Return how the tiles are compressed."""
    if lossy and can_be_jpeg(image):
        return LOSSY
    level = 6 if image.width * image.height <= FAST_DEFLATE_PIXELS else 1
    return DEFLATED | {"level": level}


@dataclass(slots=True)
class _Image:
    """One image of a file: its tags without offsets, its tiles, its levels, and their places."""

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
        """Its tags, with offsets."""
        starts = accumulate(map(len, self.tiles[:-1]), initial=self.tiles_at)
        placed = {Tag.TILE_OFFSETS: Value.offsets(starts, CLASSIC), Tag.TILE_BYTES: Value.longs(map(len, self.tiles))}
        if self.levels:
            placed[Tag.SUB_DIRECTORIES] = Value.offsets((level.at for level in self.levels), CLASSIC)
        return Directory(self.values | placed, CLASSIC, self.at, self.next_at)


def join_pages(pages: Sequence[Sequence[bytes]]) -> bytes:
    """Join pages to one TIFF, each given as little-endian tiled TIFFs: the image in full, then its levels.

    Raises ValueError for files that are built otherwise, and OverflowError above 4 GB.
    """
    mains = [_read_page(files) for files in pages]
    images = [image for main in mains for image in (main, *main.levels)]
    at = len(file_header(CLASSIC))
    for image in images:
        image.at = at
        at = image.directory.end
    by_size = sorted(images, key=lambda image: image.tile_bytes)
    for image in by_size:
        image.tiles_at = at
        at += image.tile_bytes
    for page, following in pairwise(mains):
        page.next_at = following.at
    directories = (image.directory.to_bytes() for image in images)
    return b"".join([file_header(CLASSIC), *directories, *(tile for image in by_size for tile in image.tiles)])


def _read_page(files: Sequence[bytes]) -> _Image:
    main, *levels = (_Image(dict(found.values), found.tiles) for found in map(read_tiled, files))
    for level in levels:
        level.values[Tag.SUBFILE] = Value.longs([REDUCED])
    main.levels = levels
    return main
