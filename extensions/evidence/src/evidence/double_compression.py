"""Whether an image was compressed as JPEG before, and where it was not.

Coefficients that were rounded to multiples of one step and then of another have histograms with gaps and peaks (A. C.
Popescu and H. Farid, "Statistical tools for digital forensics", 2004). What the histogram would be without the first
rounding is estimated from the same image, cut by four pixels so that its grid of blocks is another one (J. Lukáš and
J. Fridrich, "Estimation of primary quantization matrix in double compressed JPEG images", 2003). Blocks whose
coefficients fit the histogram of one rounding, in an image whose others fit that of two, were pasted or changed (Z. Lin
et al., "Fast, automatic and fine-grained tampered JPEG image detection via DCT coefficient analysis", 2009).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .areas import find_largest, smooth
from .dct import FREQUENCIES, Coefficients, compute_coefficients
from .jpeg_header import QuantisationTable
from .pixels import Luma

MAX_LEVEL = 40
"""Histograms have the levels -40 to 40: larger ones are rare in all photographs."""

MAX_FIRST_STEP = 40
"""Steps of an earlier compression that are tried; qualities below 50 have larger ones."""

MIN_BLOCKS = 1_000
"""Below this, histograms say more about the content than about compression."""

WINDOW = 9
"""Blocks across the windows over which evidence is averaged."""

MIN_EVIDENCE = 0.5
"""Nats a block by which one compression has to explain an area better than two."""

MAX_CELLS = 128
"""Cells of a map along its longer side."""

_FINE = 0.5
"""Width of the bins of the histogram before any rounding."""
_FINE_REACH = 1_024.0
_CENTRES = np.arange(-_FINE_REACH, _FINE_REACH, _FINE)
_NOISE = 0.3
"""Standard deviation that rounding of samples between two compressions adds to coefficients: that of a sum over an
orthonormal basis of errors with 1/12 variance, √(1/12) ≈ 0.29."""
_FLOOR = 1e-5
"""Smallest probability of a level, so that a single odd block decides nothing."""

type Histogram = NDArray[np.float64]
"""Share of each level from -:data:`MAX_LEVEL` to :data:`MAX_LEVEL`."""


@dataclass(frozen=True, slots=True)
class FrequencyFit:
    """How the histogram of one frequency fits both hypotheses.

    ``step`` is that of the file, ``first_step`` the most likely one before it. ``gain`` is by how much better two
    roundings explain the levels than one, in nats a coefficient other than zero.
    """

    frequency: tuple[int, int]
    step: int
    first_step: int
    gain: float
    observed: Histogram
    once: Histogram
    twice: Histogram


@dataclass(frozen=True, slots=True)
class DoubleCompression:
    """The fits of all frequencies that have enough levels. ``score`` is the mean of their gains, 0 without any."""

    fits: tuple[FrequencyFit, ...]
    blocks: int

    @property
    def score(self) -> float:
        """Mean gain in nats a coefficient."""
        return float(np.mean([max(one.gain, 0.0) for one in self.fits])) if self.fits else 0.0

    @property
    def strongest(self) -> FrequencyFit | None:
        """The fit with the largest gain."""
        return max(self.fits, key=lambda one: one.gain, default=None)


def measure(luma: Luma, table: QuantisationTable) -> tuple[DoubleCompression, Coefficients]:
    """Fit the histograms of ``luma``, decoded from a file with ``table``; also return its coefficients.

    Raises ValueError for an image with fewer than :data:`MIN_BLOCKS` blocks.
    """
    coefficients = compute_coefficients(luma)
    blocks = coefficients.shape[0] * coefficients.shape[1]
    if blocks < MIN_BLOCKS:
        raise ValueError(f"the image has {blocks} blocks; the measure needs {MIN_BLOCKS}")
    calibrated = compute_coefficients(luma, offset=4)
    fits = [
        fit
        for index, (vertical, horizontal) in enumerate(FREQUENCIES)
        if (fit := _fit(coefficients, calibrated, index, table[8 * vertical + horizontal])) is not None
    ]
    return DoubleCompression(tuple(fits), blocks), coefficients


def _fit(coefficients: Coefficients, calibrated: Coefficients, index: int, step: int) -> FrequencyFit | None:
    levels = np.rint(coefficients[:, :, index] / step)
    within = levels[np.abs(levels) <= MAX_LEVEL].astype(int)
    counts = np.bincount(within + MAX_LEVEL, minlength=2 * MAX_LEVEL + 1).astype(float)
    informative = counts.sum() - counts[MAX_LEVEL]
    if informative < MIN_BLOCKS / 10:
        return None
    fine = _histogram_fine(calibrated[:, :, index])
    once = _normalise(fine @ _spread(_CENTRES, step, _FINE / 2))
    best, best_step, best_gain = once, 1, 0.0
    for first in range(2, MAX_FIRST_STEP + 1):
        twice = _normalise(_round_twice(fine, first, step))
        gain = _gain(counts, once, twice)
        if gain > best_gain:
            best, best_step, best_gain = twice, first, gain
    return FrequencyFit(FREQUENCIES[index], step, best_step, best_gain, counts / counts.sum(), once, best)


def _gain(counts: NDArray[np.float64], once: Histogram, twice: Histogram) -> float:
    """Mean of log(twice / once) over coefficients other than zero, each conditional on that."""
    some = counts.copy()
    some[MAX_LEVEL] = 0
    return float((some * _compare(once, twice)).sum() / some.sum())


def _compare(once: Histogram, twice: Histogram) -> Histogram:
    """Return log(twice / once) of each level other than zero, conditional on that, and 0 of zero.

    Shares of zeros are left out: they depend on how smooth the content is, more than on compression.
    """
    used = np.arange(len(once)) != MAX_LEVEL
    ratio = np.log(twice / twice[used].sum()) - np.log(once / once[used].sum())
    return np.asarray(np.where(used, ratio, 0.0))


def _normalise(histogram: NDArray[np.float64]) -> Histogram:
    raised = histogram / max(histogram.sum(), 1e-12) + _FLOOR
    return np.asarray(raised / raised.sum())


def _histogram_fine(values: NDArray[np.float32]) -> NDArray[np.float64]:
    edges = np.arange(-_FINE_REACH, _FINE_REACH + _FINE, _FINE) - _FINE / 2
    return np.asarray(np.histogram(values, bins=edges)[0], dtype=float)


def _spread(centres: NDArray[np.float64], step: int, deviation: float) -> NDArray[np.float64]:
    """Return the probability of each level of ``step`` for values at ``centres`` with Gaussian noise."""
    edges = (np.arange(-MAX_LEVEL, MAX_LEVEL + 2) - 0.5) * step
    below = _cumulative((edges[None, :] - centres[:, None]) / deviation)
    return np.asarray(np.diff(below, axis=1))


def _cumulative(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cumulative distribution function of the normal distribution, from a table."""
    return np.asarray(np.interp(scores, _GRID, _CUMULATIVE))


_GRID = np.linspace(-5, 5, 1001)
_CUMULATIVE = np.array([0.5 * (1 + math.erf(score / math.sqrt(2))) for score in _GRID])


def _round_twice(fine: NDArray[np.float64], first: int, step: int) -> NDArray[np.float64]:
    """Return the levels of values that were rounded to multiples of ``first`` and then of ``step``."""
    places = np.rint(_CENTRES / first).astype(int)
    shares = np.bincount(places - places[0], weights=fine)
    lattice = np.arange(places[0], places[0] + len(shares)) * float(first)
    return np.asarray(shares @ _spread(lattice, step, _NOISE))


@dataclass(frozen=True, slots=True)
class BlockMap:
    """Evidence by block: positive where coefficients fit two roundings, negative where they fit one.

    ``values`` are mean log-likelihood ratios over windows of blocks. ``box`` is left, top, width and height of the
    largest coherent area of negative ones in px, None without one; ``share`` is its share of all blocks, and ``depth``
    the mean evidence inside, as a multiple of the median outside.
    """

    values: NDArray[np.float32]
    box: tuple[int, int, int, int] | None
    share: float
    depth: float


def map_blocks(found: DoubleCompression, coefficients: Coefficients) -> BlockMap:
    """Return where the coefficients of an image that was compressed twice fit one compression better."""
    ratios = np.zeros(coefficients.shape[:2], dtype=np.float32)
    for fit in found.fits:
        if fit.gain <= 0:
            continue
        levels = np.rint(coefficients[:, :, FREQUENCIES.index(fit.frequency)] / fit.step)
        places = np.clip(levels, -MAX_LEVEL, MAX_LEVEL).astype(int) + MAX_LEVEL
        ratios += _compare(fit.once, fit.twice).astype(np.float32)[places]
    stride = max(1, math.ceil(max(ratios.shape) / MAX_CELLS))
    return _describe(smooth(ratios, WINDOW)[::stride, ::stride], 8 * stride)


def _describe(values: NDArray[np.float32], cell_px: int) -> BlockMap:
    area = find_largest(values < -MIN_EVIDENCE)
    if area is None or area.mask.all():
        return BlockMap(values, None, 0.0, 0.0)
    typical = max(float(np.median(np.abs(values[~area.mask]))), MIN_EVIDENCE)
    left, top, width, height = (cell_px * side for side in area.box)
    return BlockMap(
        values, (left, top, width, height), float(area.mask.mean()), float(-values[area.mask].mean()) / typical
    )
