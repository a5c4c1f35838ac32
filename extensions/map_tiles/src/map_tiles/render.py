"""Render tiles with rio-tiler: resampling, transparency of pixels without data, bands and ranges of values."""

from __future__ import annotations

import warnings
from typing import Any

from rio_tiler.errors import NoOverviewWarning, TileOutsideBounds
from rio_tiler.io.rasterio import Reader
from rio_tiler.models import ImageData
from rio_tiler.profiles import img_profiles

from darkroom.errors import SourceMissing

from .descriptor import Descriptor
from .grid import TILE_PX, Tile
from .requests import Style

DRIVERS = {"png": "PNG", "webp": "WEBP", "jpg": "JPEG"}
PROFILES = {"png": "png", "webp": "webp", "jpg": "jpeg"}
"""rio-tiler's encoder options by format."""


def open_reader(dataset: Any) -> Reader:
    """Return rio-tiler's reader of an open dataset."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoOverviewWarning)
        return Reader(None, dataset=dataset)


def read_tile(dataset: Any, raster: Descriptor, tile: Tile, style: Style) -> ImageData:
    """Read the values of a tile, with a mask of the pixels that have data.

    Raises SourceMissing where only the bounding box of the raster meets the tile, not its rectangle in its own
    coordinate system.
    """
    resampling = style.resampling or ("nearest" if raster.paletted else "bilinear")
    try:
        return open_reader(dataset).tile(
            *(tile.x, tile.y, tile.z),
            tilesize=TILE_PX,
            indexes=style.bands or raster.bands,
            resampling_method=resampling,
            reproject_method=resampling,
        )
    except TileOutsideBounds as error:
        raise SourceMissing("The raster has no pixels in this tile", detail=str(error)) from error


def render_tile(dataset: Any, raster: Descriptor, tile: Tile, style: Style, image_format: str) -> bytes:
    """Render a tile as PNG, WebP or JPEG. JPEG has no transparency: pixels without data are black."""
    image = read_tile(dataset, raster, tile, style)
    ranges = style.rescale or tuple(raster.rescale[band - 1] for band in style.bands or raster.bands if raster.rescale)
    if ranges:
        image.rescale(in_range=ranges * (image.count if len(ranges) == 1 else 1))
    colormap = open_reader(dataset).colormap if raster.paletted and not style.bands else None
    encoded: bytes = image.render(
        img_format=DRIVERS[image_format],
        add_mask=image_format != "jpg",
        colormap=colormap,
        **img_profiles.get(PROFILES[image_format]),
    )
    return encoded
