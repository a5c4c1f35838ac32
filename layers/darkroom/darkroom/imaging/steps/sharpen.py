"""Sharpen edges."""

from __future__ import annotations

import pyvips

from ..colour import apart, together
from ..work import Work


def sharpen(work: Work) -> None:
    """Unsharp masking of CIE lightness with a sigma of ``sharp`` px; flat areas and their noise are left alone."""
    if not work.plan.sharpen:
        return
    work.each(lambda frame: _sharpened(frame, work.plan.sharpen))


def _sharpened(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    colour, alpha = apart(frame)
    return together(colour.sharpen(sigma=sigma_px), alpha)
