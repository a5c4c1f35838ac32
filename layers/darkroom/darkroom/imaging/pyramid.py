"""Masters of TIFFs and of huge pictures: tiled TIFFs that hold each page in full and halved, again and again.

A small derivative reads the small version that is nearest above it (see :mod:`.loading`), which comes first in the file
(see :mod:`.containers.tiffbinding`). Pages stay pages, whatever their sizes. The tiles of a page are made while it is
decoded, and each half from the tiles before, so that pixels are never all in memory unless a page's own decoder needs
them there.
"""

from __future__ import annotations

import pyvips

from ..errors import OverLimits
from ..plan.limits import Limits
from .colour.convert import to_eight_bits
from .containers.tiffbinding import bound
from .formats.encode import is_drawing
from .formats.probe import Header, probe
from .printing import DRAWN
from .render import own_fault
from .source import Source
from .tiling import CONTENT_TYPE, DEFLATED, LOSSY, TILE_PX, Knobs, fits_jpeg, halved, opened, saved, settled

__all__ = ["CONTENT_TYPE", "pyramid"]

QUICK_PIXELS = 16_000_000
"""Above this, tiles are deflated at level 1: 23 ms a megapixel for 8 bits and 70 for 16, against 93 at level 6 for
0.63 of the bytes."""

_THRIFTY: Knobs = {"compression": "jpeg", "Q": 85}
_THRIFTY_CLEAR: Knobs = {"compression": "webp", "Q": 85}
"""A third of the bytes: chroma at half size."""


def pyramid(source: Source, header: Header, *, limits: Limits, thrifty: bool = False) -> bytes:
    """The pyramid of a still picture or of a TIFF's pages, in sRGB or grey, without metadata.

    Photographs of 8 bits a channel become JPEG tiles, everything else is kept losslessly: transparency, 16 bits,
    drawings. ``thrifty`` keeps 8 bits and nothing losslessly. Stored as it was turned, with the one tag that says how.
    Raises OverLimits where the pages have too many pixels together, or Damaged.
    """
    pages = _pages(source, header, limits)
    return bound([_page(source, page, number, limits, thrifty=thrifty) for number, page in enumerate(pages)])


def _pages(source: Source, header: Header, limits: Limits) -> list[Header]:
    if header.format != "tiff":
        return [header]
    pages = [probe(source, limits, page=number) for number in range(header.frames)]
    pixels = sum(page.width * page.height for page in pages)
    if pixels > limits.max_pixels:
        raise OverLimits(
            f"The source has {pixels:,} pixels on {len(pages)} pages; the limit is {limits.max_pixels:,} together"
        )
    return pages


def _page(source: Source, header: Header, number: int, limits: Limits, *, thrifty: bool) -> list[bytes]:
    """A page in full, then halved until it is one tile: a tiled TIFF each."""
    image = settled(source, header, number, limits)
    if thrifty:
        image = to_eight_bits(image)
        knobs = _THRIFTY_CLEAR if image.hasalpha() else _THRIFTY
    else:
        knobs = _tiles(image, lossy=_is_photograph(source, header, number, limits))
    with source.decoding():
        sheets = [saved(image, knobs)]
    with own_fault():
        while max(image.width, image.height) > TILE_PX:
            image = halved(opened(sheets[-1]))
            sheets.append(saved(image, knobs))
    return sheets


def _is_photograph(source: Source, header: Header, number: int, limits: Limits) -> bool:
    """Whether nothing is seen of what JPEG loses. Takes a pass of its own, where the picture may be a drawing."""
    if header.has_alpha:
        return False
    if header.format not in DRAWN:
        return True
    with source.decoding():
        return not is_drawing(settled(source, header, number, limits))


def _tiles(image: pyvips.Image, *, lossy: bool) -> Knobs:
    """How the tiles are compressed."""
    if lossy and fits_jpeg(image):
        return LOSSY
    level = 6 if image.width * image.height <= QUICK_PIXELS else 1
    return DEFLATED | {"level": level}
