"""Blur."""

from __future__ import annotations

import pyvips

from ..colour import apart, together
from ..work import Work

SMALLEST_SIGMA_PX = 0.2
"""Below this a Gaussian has one weight that is not zero."""


LEAST_WEIGHT = 0.02
"""Where the kernel ends, against its middle. libvips' own 0.2 leaves something like a box, which shows as blocks."""


def blur(work: Work) -> None:
    """Gaussian blur with a sigma of ``blur`` px. Alpha stays; invisible colour does not bleed into what is visible."""
    if work.plan.blur < SMALLEST_SIGMA_PX:
        return
    work.each(lambda frame: _blurred(frame, work.plan.blur))


def _blurred(frame: pyvips.Image, sigma_px: float) -> pyvips.Image:
    alpha = apart(frame)[1]
    if alpha is None:
        return frame.gaussblur(sigma_px, min_ampl=LEAST_WEIGHT)
    smooth = apart(frame.premultiply().gaussblur(sigma_px, min_ampl=LEAST_WEIGHT).unpremultiply())[0]
    return together(smooth.rint().cast(frame.format).copy(interpretation=frame.interpretation), alpha)
