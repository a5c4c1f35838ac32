"""Structural similarity of two aligned images, after a radiometric normalisation.

Sources: Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli, "Image quality assessment: from error visibility to structural
similarity", IEEE Transactions on Image Processing 13(4), 2004, for the index; J. Schott, C. Salvaggio, W. Volchok,
"Radiometric scene normalization using pseudoinvariant features", Remote Sensing of Environment 26, 1988, for the
normalisation. Windows are squares without weights, as in scikit-image's ``structural_similarity``; pixels without data
are left out of every window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WINDOW_PX = 7
MARGIN_PX = WINDOW_PX // 2
K1, K2 = 0.01, 0.03
"""Constants of the index, as in the paper."""

ROUNDS = 5
INVARIANT_DEVIATIONS = 2.0
"""Pixels within this many standard deviations of the fitted line are taken as invariant in the next round."""

MEDIAN_TO_DEVIATION = 1.4826
"""Standard deviations of normal values in the median of their absolute deviations."""

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Weights of red, green and blue (ITU-R BT.709)."""

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]


class Radiometry(NamedTuple):
    """``after * gain + offset`` has the brightness of ``before``; ``span`` is the range of values of ``before``."""

    gain: float
    offset: float
    span: float


def to_luminance(bands: Floats) -> Floats:
    """Return one plane: the luminance of three bands, or the mean of any other number."""
    if len(bands) == len(LUMINANCE):
        return np.tensordot(np.array(LUMINANCE), bands, axes=1)
    return np.asarray(bands.mean(axis=0))


def fit_radiometry(before: Floats, after: Floats, valid: Flags) -> Radiometry:
    """Fit gain and offset by pixels that hardly changed, and measure the percentiles 0.1 to 99.9 of ``before``."""
    x, y = after[valid], before[valid]
    if x.size < WINDOW_PX**2:
        return Radiometry(1.0, 0.0, 1.0)
    low, high = np.percentile(y, (0.1, 99.9))
    gain, offset = _match_quartiles(x, y)
    for _ in range(ROUNDS):
        residual = np.abs(y - gain * x - offset)
        chosen = residual <= INVARIANT_DEVIATIONS * MEDIAN_TO_DEVIATION * np.median(residual)
        deviation = x[chosen].std()
        if deviation == 0 or chosen.sum() < WINDOW_PX**2:
            break
        gain = float(y[chosen].std() / deviation)  # not least squares, whose gain shrinks where pixels changed
        offset = float(y[chosen].mean() - gain * x[chosen].mean())
    return Radiometry(gain, offset, float(max(high - low, np.finfo(float).eps)))


def _match_quartiles(x: Floats, y: Floats) -> tuple[float, float]:
    """Return gain and offset by the quartiles, on which a quarter of changed pixels at either end has no effect."""
    (x1, x2, x3), (y1, y2, y3) = (np.percentile(values, (25, 50, 75)) for values in (x, y))
    gain = float((y3 - y1) / (x3 - x1)) if x3 > x1 and y3 > y1 else 1.0
    return gain, float(y2 - gain * x2)


def measure_similarity(before: Floats, after: Floats, valid: Flags, span: float) -> Floats:
    """Return the index of each pixel, from -1 to 1 for equal windows. ``span`` is the range of values.

    Values of pixels that are not ``valid`` are undefined.
    """
    number = np.maximum(_sum_windows(valid.astype(float)), 1.0)
    a, b = np.where(valid, before, 0.0), np.where(valid, after, 0.0)
    mean_a, mean_b = _sum_windows(a) / number, _sum_windows(b) / number
    unbiased = number / np.maximum(number - 1, 1)
    var_a = np.maximum(_sum_windows(a * a) / number - mean_a**2, 0) * unbiased
    var_b = np.maximum(_sum_windows(b * b) / number - mean_b**2, 0) * unbiased
    covariance = (_sum_windows(a * b) / number - mean_a * mean_b) * unbiased
    c1, c2 = (K1 * span) ** 2, (K2 * span) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return np.asarray(luminance * (2 * covariance + c2) / (var_a + var_b + c2))


def _sum_windows(values: Floats) -> Floats:
    """Return the sums of the windows around all pixels, of which those at the border are smaller."""
    rows = np.cumsum(np.pad(values, ((MARGIN_PX + 1, MARGIN_PX), (0, 0))), axis=0)
    rows = rows[WINDOW_PX:] - rows[:-WINDOW_PX]
    columns = np.cumsum(np.pad(rows, ((0, 0), (MARGIN_PX + 1, MARGIN_PX))), axis=1)
    return np.asarray(columns[:, WINDOW_PX:] - columns[:, :-WINDOW_PX])
