"""Tiles of pyramids: pixel formats, compression, and halving."""

from __future__ import annotations

from typing import Any

import pyvips

from darkroom.imaging.colour.convert import cicp_to_srgb, needs_conversion, resize_to, to_eight_bits, to_srgb
from darkroom.imaging.formats.load import get_loaded_size, load_whole
from darkroom.imaging.formats.probe import Header
from darkroom.imaging.source import Source
from darkroom.plan.geometry.layout import Size
from darkroom.plan.limits import Limits

type TileOptions = dict[str, Any]

CONTENT_TYPE = "image/tiff"
TILE_PX = 256
JPEG_QUALITY = 92
"""From 90 on libvips stores RGB in JPEG tiles and no chroma is lost: 0.5 to 0.75 bytes a pixel, with the halves."""

LOSSY: TileOptions = {"compression": "jpeg", "Q": JPEG_QUALITY}
DEFLATED: TileOptions = {"compression": "deflate", "predictor": "horizontal"}


def load_page(source: Source, header: Header, number: int, limits: Limits) -> pyvips.Image:
    """Load a page in the stored pixel format: sRGB or grey, 8 or 16 bits. Raises what :func:`.load_whole` does."""
    image = load_whole(source, header, limits, page=number).frames[0]
    with source.decoding():
        if not header.has_profile and header.cicp is not None and needs_conversion(header.cicp):
            image = cicp_to_srgb(image, header.cicp)
        image = to_srgb(image)
        image = (image if image.format == "ushort" else to_eight_bits(image)).copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", get_loaded_size(header)[1])
    return image


def can_be_jpeg(image: pyvips.Image) -> bool:
    """Return whether JPEG tiles can hold the pixels of ``image``."""
    return image.format == "uchar" and not image.hasalpha()


def save_tiled(image: pyvips.Image, options: TileOptions, tile_px: int = TILE_PX) -> bytes:
    """Encode ``image`` as a tiled TIFF."""
    body: bytes = image.tiffsave_buffer(tile=True, tile_width=tile_px, tile_height=tile_px, keep="none", **options)
    return body


def open_tiled(body: bytes) -> pyvips.Image:
    """Open the result of :func:`save_tiled`, to be read once from its top."""
    return pyvips.Image.tiffload_buffer(body, access="sequential")


def halve(image: pyvips.Image) -> pyvips.Image:
    """Reduce ``image`` to half its size, rounded down to whole pixels.

    An odd side is scaled as a whole: cropping its last pixel, as libvips' own pyramids do, adds up to half a pixel in a
    small derivative.
    """
    size = Size(max(1, image.width // 2), max(1, image.height // 2))
    if size.width * 2 == image.width and size.height * 2 == image.height and not image.hasalpha():
        return image.shrink(2, 2)
    return resize_to(image, size)


def shrink_pairs(image: pyvips.Image, size: Size) -> pyvips.Image:
    """Average each two by two pixels of ``image``, to ``size``, which is half of it or less.

    Each pixel is computed from four and no others, so that a part of an image gives that part of its half; hence an odd
    side loses its last pixel. A side of one pixel stays. Colours are weighted by their alpha.
    """
    wide, high = size.width * 2, size.height * 2
    if (wide, high) != (image.width, image.height):
        image = image.embed(0, 0, max(wide, image.width), max(high, image.height), extend="copy").crop(0, 0, wide, high)
    if not image.hasalpha():
        return image.shrink(2, 2)
    return image.premultiply().shrink(2, 2).unpremultiply().rint().cast(image.format)
