"""Black and white, and nothing between."""

from __future__ import annotations

import pyvips

from ..colour.convert import join_alpha, split_alpha, to_eight_bits
from ..work import Work


def separate(work: Work) -> None:
    """Make what is as light as ``threshold`` (of 255, on the scale of grey pictures) white and the rest black.

    One band; alpha stays.
    """
    work.each(lambda frame: _separated(frame, work.plan.threshold))


def _separated(frame: pyvips.Image, threshold: int) -> pyvips.Image:
    colour, alpha = split_alpha(to_eight_bits(frame))
    grey = colour.colourspace("b-w")
    return join_alpha((grey >= threshold).copy(interpretation="b-w"), alpha)
