"""Masters of TIFFs and of huge pictures: tiled TIFFs that hold each page in full and halved, again and again.

A small derivative reads the small version that is nearest above it (see :mod:`.loading`), which comes first in the file
(see :mod:`.containers.tiffbinding`). Pages stay pages, whatever their sizes. The tiles of a page are made while it is
decoded, and each half from the tiles before, so that pixels are never all in memory unless a page's own decoder needs
them there.
"""

from __future__ import annotations

from typing import Any

import pyvips

from ..errors import OverLimits
from ..plan.geometry import Size
from ..plan.limits import Limits
from .codepoints import from_code_points, is_foreign
from .colour import to_eight_bits, to_srgb
from .containers.tiffbinding import bound
from .encoding import is_drawing
from .header import Header, inspect
from .loading import load_whole, stored_size
from .printing import DRAWN
from .render import own_fault
from .source import Source
from .steps.resize import scaled

CONTENT_TYPE = "image/tiff"
TILE_PX = 256
JPEG_QUALITY = 92
"""From 90 on libvips stores RGB in JPEG tiles and no chroma is lost: 0.5 to 0.75 bytes a pixel, with the halves."""
QUICK_PIXELS = 16_000_000
"""Above this, tiles are deflated at level 1: 23 ms a megapixel for 8 bits and 70 for 16, against 93 at level 6 for
0.63 of the bytes."""

_THRIFTY: dict[str, Any] = {"compression": "jpeg", "Q": 85}
_THRIFTY_CLEAR: dict[str, Any] = {"compression": "webp", "Q": 85}
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
    pages = [inspect(source, limits, page=number) for number in range(header.frames)]
    pixels = sum(page.width * page.height for page in pages)
    if pixels > limits.max_pixels:
        raise OverLimits(
            f"The source has {pixels:,} pixels on {len(pages)} pages; the limit is {limits.max_pixels:,} together"
        )
    return pages


def _page(source: Source, header: Header, number: int, limits: Limits, *, thrifty: bool) -> list[bytes]:
    """A page in full, then halved until it is one tile: a tiled TIFF each."""
    image = _settled(source, header, number, limits)
    if thrifty:
        image = to_eight_bits(image)
        knobs = _THRIFTY_CLEAR if image.hasalpha() else _THRIFTY
    else:
        knobs = _tiles(image, lossy=_is_photograph(source, header, number, limits))
    with source.decoding():
        sheets = [_saved(image, knobs)]
    with own_fault():
        while max(image.width, image.height) > TILE_PX:
            image = _halved(pyvips.Image.tiffload_buffer(sheets[-1], access="sequential"))
            sheets.append(_saved(image, knobs))
    return sheets


def _saved(image: pyvips.Image, knobs: dict[str, Any]) -> bytes:
    body: bytes = image.tiffsave_buffer(tile=True, tile_width=TILE_PX, tile_height=TILE_PX, keep="none", **knobs)
    return body


def _halved(image: pyvips.Image) -> pyvips.Image:
    """``image`` at half its size, down to whole pixels.

    Of an odd side, the whole is made to fit: to cut off the last pixel, as libvips' own pyramids do, adds up to half a
    pixel in a small derivative.
    """
    size = Size(max(1, image.width // 2), max(1, image.height // 2))
    if size.width * 2 == image.width and size.height * 2 == image.height and not image.hasalpha():
        return image.shrink(2, 2)
    return scaled(image, size)


def _settled(source: Source, header: Header, number: int, limits: Limits) -> pyvips.Image:
    """A page in the numbers that are stored: sRGB or grey, 8 or 16 bits."""
    image = load_whole(source, header, limits, page=number).frames[0]
    with source.decoding():
        if not header.has_profile and header.cicp is not None and is_foreign(header.cicp):
            image = from_code_points(image, header.cicp)
        image = to_srgb(image)
        image = (image if image.format == "ushort" else to_eight_bits(image)).copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", stored_size(header)[1])
    return image


def _is_photograph(source: Source, header: Header, number: int, limits: Limits) -> bool:
    """Whether nothing is seen of what JPEG loses. Takes a pass of its own, where the picture may be a drawing."""
    if header.has_alpha:
        return False
    if header.format not in DRAWN:
        return True
    with source.decoding():
        return not is_drawing(_settled(source, header, number, limits))


def _tiles(image: pyvips.Image, *, lossy: bool) -> dict[str, Any]:
    """How the tiles are compressed."""
    if lossy and image.format == "uchar" and not image.hasalpha():
        return {"compression": "jpeg", "Q": JPEG_QUALITY}
    level = 6 if image.width * image.height <= QUICK_PIXELS else 1
    return {"compression": "deflate", "predictor": "horizontal", "level": level}
