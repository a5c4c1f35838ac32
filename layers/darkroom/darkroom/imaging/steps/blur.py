"""Blur."""

from __future__ import annotations

import pyvips

from ..work import Work

SMALLEST_SIGMA_PX = 0.2
"""Below this a Gaussian has one weight that is not zero."""


LEAST_WEIGHT = 0.02
"""Where the kernel ends, against its middle. libvips' own 0.2 leaves something like a box, which shows as blocks."""


def blur(work: Work) -> None:
    """Gaussian blur with a sigma of ``blur`` px, of alpha too: a sharp outline around blurred colours is no blur.

    Colours are weighted by their alpha, so that what is invisible does not bleed into what is visible.
    """
    if work.plan.blur < SMALLEST_SIGMA_PX:
        return
    work.each(lambda frame: _blurred(frame, work.plan.blur))


def _blurred(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    if not frame.hasalpha():
        return frame.gaussblur(sigma_px, min_ampl=LEAST_WEIGHT)
    smooth = frame.premultiply().gaussblur(sigma_px, min_ampl=LEAST_WEIGHT).unpremultiply()
    return smooth.rint().cast(frame.format).copy(interpretation=frame.interpretation)
