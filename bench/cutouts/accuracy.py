"""Compare a cut-out with the foreground that it should be."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .foregrounds import Foreground, Values

BAND_PX = 4
"""Distance from partly covered pixels up to which a pixel is at the edge."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of one cut-out, as fractions of the full coverage or of white.

    ``iou`` compares coverages of at least a half. ``error`` is the mean absolute difference of coverage in the image,
    ``raster_edge`` and ``edge`` that at edges: of the raster alone, and of the result. ``fringe`` is how much lighter
    than the foreground the result is at edges, both on black: positive is background that is left, negative is
    foreground that is missing.
    """

    iou: float
    error: float
    raster_edge: float
    edge: float
    fringe: float


def compare(foreground: Foreground, raster: bytes, result: bytes) -> Accuracy:
    """Compare a ``result`` of ``cutout=1`` and its ``raster`` with the truth."""
    truth = foreground.coverage
    height, width = truth.shape
    with Image.open(io.BytesIO(raster)) as opened:
        enlarged = np.asarray(opened.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
    with Image.open(io.BytesIO(result)) as opened:
        pixels = np.asarray(opened.convert("RGBA"), np.float32) / 255
    alpha, band = pixels[..., 3], find_edges(truth)
    lighter = pixels[..., :3] * alpha[..., None] - foreground.colours * truth[..., None]
    both, either = ((truth >= 0.5) & (alpha >= 0.5)).sum(), ((truth >= 0.5) | (alpha >= 0.5)).sum()
    return Accuracy(
        float(both / either) if either else 1.0,
        float(np.abs(alpha - truth).mean()),
        float(np.abs(enlarged - truth)[band].mean()),
        float(np.abs(alpha - truth)[band].mean()),
        float(lighter[band].mean()),
    )


def find_edges(coverage: Values) -> NDArray[np.bool_]:
    """Return which pixels are at most BAND_PX from where the coverage changes."""
    image = Image.fromarray(np.rint(coverage * 255).astype(np.uint8))
    high, low = (
        np.asarray(image.filter(kind(2 * BAND_PX + 1))) for kind in (ImageFilter.MaxFilter, ImageFilter.MinFilter)
    )
    return np.asarray((high > 5) & (low < 250))
