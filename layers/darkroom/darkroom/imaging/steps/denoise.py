"""Remove noise, keep edges."""

from __future__ import annotations

import pyvips

from ..colour.convert import PEAK_8_BIT, fill_invisible, get_white_level, join_alpha, split_alpha
from ..work import Work

RADIUS_PX = 2
LEVELS_PER_STRENGTH = 3.0
"""Strength n takes differences of up to about 3 n of 255 levels for noise: 10 reaches that of a dark ISO 6400 shot."""


def denoise(work: Work) -> None:
    """Smooth by ``denoise`` (1–10) with a guided filter, which flattens small differences and follows large ones.

    Guided image filtering (He, Sun, Tang 2013) with the picture as its own guide: in each window the picture is
    approximated by ``a × picture + b``; ``a`` is near 0 where the variance is below (3 × strength)², near 1 at edges.
    """
    if not work.plan.denoise:
        return
    work.each(lambda frame: _smoothed(frame, work.plan.denoise))


def _smoothed(frame: pyvips.Image, strength: int) -> pyvips.Image:
    alpha = split_alpha(frame)[1]
    noise = (LEVELS_PER_STRENGTH * strength * get_white_level(frame) / PEAK_8_BIT) ** 2
    guide = fill_invisible(frame, 2 * RADIUS_PX).cast("float")
    mean = _box(guide)
    variance = _box(guide * guide) - mean * mean
    slope = variance / (variance + noise)
    smooth = _box(slope) * guide + _box(mean - slope * mean)
    return join_alpha(smooth.rint().cast(frame.format).copy(interpretation=frame.interpretation), alpha)


def _box(image: pyvips.Image) -> pyvips.Image:
    """The mean of each pixel's window."""
    side = 2 * RADIUS_PX + 1
    return image.convsep(pyvips.Image.new_from_array([[1] * side], scale=side))
