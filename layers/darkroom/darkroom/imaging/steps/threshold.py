"""Black and white, and nothing between."""

from __future__ import annotations

import pyvips

from ..colour.convert import apart, to_eight_bits, together
from ..work import Work


def separate(work: Work) -> None:
    """Make what is as light as ``threshold`` (of 255, on the scale of grey pictures) white and the rest black.

    One band; alpha stays.
    """
    work.each(lambda frame: _separated(frame, work.plan.threshold))


def _separated(frame: pyvips.Image, threshold: int) -> pyvips.Image:
    colour, alpha = apart(to_eight_bits(frame))
    grey = colour.colourspace("b-w")
    return together((grey >= threshold).copy(interpretation="b-w"), alpha)
