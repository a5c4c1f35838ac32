"""Masters of TIFFs and of huge pictures: tiled TIFFs that hold each page in full and halved, again and again.

A small derivative reads the small version that is nearest above it (see :mod:`.loading`), which comes first in the file
(see :mod:`.containers.tiffbinding`). Pages stay pages, whatever their sizes. The tiles of a page are made while it is
decoded, and each half from the tiles before, so that pixels are never all in memory unless a page's own decoder needs
them there.
"""

from __future__ import annotations

import pyvips

from ...errors import OverLimits
from ...plan.limits import Limits
from ..colour.convert import to_eight_bits
from ..formats.encode import is_drawing
from ..formats.probe import Header, probe
from ..render.output import DRAWING_FORMATS
from ..render.pipeline import internal_errors
from ..source import Source
from .tiff_pages import join_pages
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
