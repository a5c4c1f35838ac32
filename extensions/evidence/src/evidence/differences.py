"""Where two images that should show the same differ, apart from brightness, contrast and sharpness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .areas import Box, find_areas, smooth

CELL_PX = 8
"""Side of the cells over which differences are averaged."""

MIN_LEVELS = 10.0
"""Mean difference of a cell, of 255 grey levels, below which it counts as equal: noise and compression reach half."""

PER_GRADIENT = 0.75
"""Levels by which a cell may differ for each level of its mean gradient: resizing and sharpening move edges by half a
pixel, and steepen them by about as much again."""

MIN_CELLS = 2
"""Cells of an area. A single one is often an edge that another filter reduced."""

_RANGE_LEVELS = 16.0
"""Levels of a range that brightness is adjusted by."""

_MIN_SHARE = 0.01
"""Share of pixels that a range needs: the brightness of others is interpolated."""

type Image = NDArray[np.float32]
"""Height × width × 3 samples, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Mean differences of ``cells`` in grey levels beyond what edges explain, 0 or more.

    ``boxes`` are the areas that differ, in cells, the largest first. ``peak`` is the largest difference of a cell, or
    0 where no area differs; ``median`` is that of all cells.
    """

    cells: NDArray[np.float32]
    boxes: tuple[Box, ...]
    share: float
    peak: float
    median: float


def compare(first: Image, second: Image) -> Differences:
    """Compare two images of one size; raise ValueError if they are smaller than a few cells."""
    height, width = first.shape[0] // CELL_PX * CELL_PX, first.shape[1] // CELL_PX * CELL_PX
    if min(height, width) < 4 * CELL_PX:
        raise ValueError("the images are too small to be compared")
    a, b = first[:height, :width], second[:height, :width]
    # Both directions: levels that one of both has clipped are several in the other.
    differences = np.minimum(_subtract(a, adjust(b, a)), _subtract(adjust(a, b), b))
    all_cells = _average_cells(differences)
    edges = np.minimum(*(_average_cells(_compute_gradient(image)) for image in (a, b)))
    cells = np.maximum(all_cells - PER_GRADIENT * edges, 0).astype(np.float32)
    median = float(np.median(all_cells))
    areas = [one for one in find_areas(cells > MIN_LEVELS) if one.size >= MIN_CELLS]
    areas.sort(key=lambda one: -one.size)
    peak = max((float(cells[one.mask].max()) for one in areas), default=0.0)
    share = sum(one.size for one in areas) / cells.size
    return Differences(cells, tuple(one.box for one in areas), share, peak, median)


def _subtract(a: Image, b: Image) -> NDArray[np.float32]:
    """Return the mean over channels of the difference of both images, smoothed."""
    bands = [np.abs(smooth(a[:, :, band] - b[:, :, band], 3)) for band in range(3)]
    return np.asarray(np.mean(bands, axis=0), dtype=np.float32)


def _average_cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = values.shape
    shape = (height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX)
    return np.asarray(values.reshape(shape).mean(axis=(1, 3)), dtype=np.float32)


def _compute_gradient(image: Image) -> NDArray[np.float32]:
    """Return the steepness of the luma in levels a pixel."""
    luma = image.mean(axis=2)
    down, across = np.gradient(luma)
    return np.asarray(np.hypot(down, across), dtype=np.float32)


def adjust(image: Image, reference: Image) -> Image:
    """Return ``image`` with the brightness and contrast of ``reference``: a rising curve for each channel."""
    bands = [_apply_curve(image[:, :, band], reference[:, :, band]) for band in range(3)]
    return np.asarray(np.stack(bands, axis=2), dtype=np.float32)


def _apply_curve(samples: NDArray[np.float32], reference: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map each of some ranges of levels to the median of ``reference`` there, which areas that differ hardly move."""
    places = np.clip(samples.ravel() / _RANGE_LEVELS, 0, 255 / _RANGE_LEVELS).astype(int)
    known = [place for place, count in enumerate(np.bincount(places)) if count > _MIN_SHARE * places.size]
    centres = [float(np.median(samples.ravel()[places == place])) for place in known]
    levels = np.maximum.accumulate([float(np.median(reference.ravel()[places == place])) for place in known])
    ends = ([centres[0] - 64, *centres, centres[-1] + 64], [levels[0] - 64, *levels, levels[-1] + 64])
    return np.asarray(np.interp(samples, *ends), dtype=np.float32)


def correlate(first: Image, second: Image) -> float:
    """Return the correlation of the luma of two images of one size, -1 to 1; 0 where one is uniform."""
    a, b = (image.mean(axis=2) for image in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-3 else 0.0
