"""Sharpen edges."""

from __future__ import annotations

import pyvips

from ..colour.convert import fill_invisible, join_alpha, split_alpha
from ..work import Work


def sharpen(work: Work) -> None:
    """Unsharp masking of CIE lightness with a sigma of ``sharp`` px; flat areas and their noise are left alone.

    Alpha stays, and outlines are no edges: neither the colours below transparency nor the step to it are sharpened.
    """
    if not work.plan.sharpen:
        return
    work.each(lambda frame: _sharpened(frame, work.plan.sharpen))


def _sharpened(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    return join_alpha(fill_invisible(frame, 2 * sigma_px).sharpen(sigma=sigma_px), split_alpha(frame)[1])
