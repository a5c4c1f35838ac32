"""Compare two rasters of one area block by block, and write the difference of each pixel as a raster of 8 bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.shutil import copy
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window, from_bounds

from darkroom.errors import BadOption, OverLimits

from .descriptor import Descriptor
from .registration import measure_area_km2
from .structure import (
    MARGIN_PX,
    Flags,
    Floats,
    Radiometry,
    fit_radiometry,
    measure_similarity,
    to_luminance,
)

BLOCK_PX = 1024
SAMPLE_PX = 1024
"""Longer side of the sample by which the brightness is fitted."""

MAX_PIXELS = 1_000_000_000
MIN_OVERLAP_PX = 64
MAX_RATIO = 1.01
"""Of the sizes of a pixel of both rasters: a finer one would be compared with what it was averaged to."""

CHANGED_FROM = 0.3
"""Difference from which a pixel counts as changed: 0 is equal, 0.5 unrelated, 1 inverted. The guide has a table."""

NODATA, FIRST, LEVELS = 0, 1, 254
"""A pixel of the result is 0 where one raster has no data, else ``1 + 254 × difference``."""


class Grid(NamedTuple):
    """The common area in pixels of the earlier raster."""

    column: int
    row: int
    width: int
    height: int
    transform: Any

    def blocks(self) -> Iterator[tuple[Window, Window]]:
        """Yield blocks within the area, and what is read for each: the block and the margin of its windows."""
        for top in range(0, self.height, BLOCK_PX):
            for left in range(0, self.width, BLOCK_PX):
                right, bottom = min(left + BLOCK_PX, self.width), min(top + BLOCK_PX, self.height)
                west, north = max(left - MARGIN_PX, 0), max(top - MARGIN_PX, 0)
                east, south = min(right + MARGIN_PX, self.width), min(bottom + MARGIN_PX, self.height)
                yield Window(left, top, right - left, bottom - top), Window(west, north, east - west, south - north)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed. ``share`` is that of the compared area, without pixels that have no data in one of the rasters."""

    share: float
    changed_km2: float
    compared_km2: float
    gain: float
    offset: float


def compare(before: Any, after: Any, pair: tuple[Descriptor, Descriptor], result: Path) -> Comparison:
    """Compare two open datasets, and write the differences as a Cloud-Optimized GeoTIFF to ``result``.

    Raises BadOption if they have no common area, other coordinate systems or sizes of pixels, and OverLimits.
    """
    grid = find_grid(before, after)
    bands = [list(one.bands) for one in pair]
    if len(bands[0]) != len(bands[1]):
        raise BadOption("One raster is shown in colours and the other is not", option="after")
    window = Window(grid.column, grid.row, grid.width, grid.height)
    profile = {
        **{"driver": "GTiff", "dtype": "uint8", "count": 1, "nodata": NODATA, "crs": before.crs},
        **{"width": grid.width, "height": grid.height, "transform": grid.transform},
        **{"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate"},
    }
    scratch = result.with_suffix(".scratch.tif")
    options = {"crs": before.crs, "transform": grid.transform, "width": grid.width, "height": grid.height}
    with WarpedVRT(after, resampling=Resampling.bilinear, add_alpha=after.nodata is None, **options) as aligned:
        radiometry = _fit(before, aligned, window, bands)
        with rasterio.open(scratch, "w", **profile) as written:
            changed, compared = _write(before, aligned, grid, bands, radiometry, written)
    with rasterio.open(scratch) as found:
        area_km2 = measure_area_km2(found)
        copy(found, result, driver="COG", compress="DEFLATE", blocksize=512, overview_resampling="average")
    scratch.unlink()
    total = float(_row_weights(before, grid, 0, grid.height).sum()) * grid.width
    return Comparison(
        share=changed / compared if compared else 0.0,
        changed_km2=area_km2 * changed / total,
        compared_km2=area_km2 * compared / total,
        gain=radiometry.gain,
        offset=radiometry.offset,
    )


def find_grid(before: Any, after: Any) -> Grid:
    """Return the common area, in whole pixels of ``before``; raises BadOption and OverLimits."""
    if before.crs != after.crs:
        raise BadOption("The rasters have different coordinate systems", option="after")
    ratios = [a / b for a, b in zip(before.res, after.res, strict=True)]
    if any(not 1 / MAX_RATIO <= ratio <= MAX_RATIO for ratio in ratios):
        raise BadOption("The rasters have pixels of different sizes", option="after")
    if any(one.transform.b or one.transform.d for one in (before, after)):
        raise BadOption("A raster is rotated", option="after")
    a, b = before.bounds, after.bounds
    west, south, east, north = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    if west >= east or south >= north:
        raise BadOption("The rasters have no common area", option="after")
    exact = from_bounds(west, south, east, north, before.transform)
    column, row = round(exact.col_off), round(exact.row_off)
    width, height = min(round(exact.width), before.width - column), min(round(exact.height), before.height - row)
    if min(width, height) < MIN_OVERLAP_PX:
        raise BadOption(f"The common area is smaller than {MIN_OVERLAP_PX} px", option="after")
    if width * height > MAX_PIXELS:
        raise OverLimits(f"The common area has {width * height:,} pixels; at most {MAX_PIXELS:,} are compared")
    transform = before.window_transform(Window(column, row, width, height))
    return Grid(column, row, width, height, transform)


def _fit(before: Any, aligned: Any, window: Window, bands: list[list[int]]) -> Radiometry:
    shrink = max(window.width, window.height, SAMPLE_PX) / SAMPLE_PX
    shape = (max(1, round(window.height / shrink)), max(1, round(window.width / shrink)))
    first, first_valid = _read(before, bands[0], window, shape)
    second, second_valid = _read(aligned, bands[1], Window(0, 0, window.width, window.height), shape)
    return fit_radiometry(first, second, first_valid & second_valid)


def _write(
    before: Any, aligned: Any, grid: Grid, bands: list[list[int]], radiometry: Radiometry, written: Any
) -> tuple[float, float]:
    """Write the differences; return how much changed and was compared, in pixels weighted by their areas."""
    changed = compared = 0.0
    for block, outer in grid.blocks():
        shifted = Window(outer.col_off + grid.column, outer.row_off + grid.row, outer.width, outer.height)
        first, first_valid = _read(before, bands[0], shifted)
        second, second_valid = _read(aligned, bands[1], outer)
        valid = first_valid & second_valid
        normal = second * radiometry.gain + radiometry.offset
        difference = (1 - measure_similarity(first, normal, valid, radiometry.span)) / 2
        top, left = block.row_off - outer.row_off, block.col_off - outer.col_off
        part = np.s_[top : top + block.height, left : left + block.width]
        difference, valid = np.clip(difference[part], 0, 1), valid[part]
        scored = np.where(valid, FIRST + np.rint(difference * LEVELS), NODATA).astype(np.uint8)
        written.write(scored, 1, window=block)
        weights = _row_weights(before, grid, block.row_off, block.height)[:, None]
        changed += float((weights * (valid & (difference >= CHANGED_FROM))).sum())
        compared += float((weights * valid).sum())
    return changed, compared


def _read(dataset: Any, bands: list[int], window: Window, shape: tuple[int, int] | None = None) -> tuple[Floats, Flags]:
    """Read the luminance of a window, and which pixels have data."""
    sized = {} if shape is None else {"out_shape": (len(bands), *shape)}
    found = dataset.read(bands, window=window, masked=True, **sized)
    valid = ~np.ma.getmaskarray(found).any(axis=0) & np.isfinite(found.data).all(axis=0)
    return to_luminance(np.where(valid, found.data, 0).astype(np.float64)), valid


def _row_weights(dataset: Any, grid: Grid, first: int, rows: int) -> Floats:
    """Return the relative areas of pixels by row: in degrees, they shrink with the cosine of the latitude."""
    if not dataset.crs.is_geographic:
        return np.ones(rows)
    latitudes = grid.transform.f + (first + np.arange(rows) + 0.5) * grid.transform.e
    return np.asarray(np.cos(np.radians(latitudes)))
