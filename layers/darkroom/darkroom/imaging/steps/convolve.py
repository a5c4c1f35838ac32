"""Convolve with any kernel."""

from __future__ import annotations

import pyvips

from ...plan.model import Convolution
from ..colour import apart, together
from ..work import Work


def convolve(work: Work) -> None:
    """Make each value the sum of its neighbours' by the kernel's weights, clipped; edges are continued. Alpha stays.

    A kernel that only smooths weights colours by their alpha too, so that what is invisible does not bleed.
    """
    kernel = work.plan.convolution
    assert kernel is not None
    work.each(lambda frame: _convolved(frame, kernel))


def _convolved(frame: pyvips.Image, kernel: Convolution) -> pyvips.Image:
    total = sum(kernel.weights)
    rows = [list(kernel.weights[at : at + kernel.columns]) for at in range(0, len(kernel.weights), kernel.columns)]
    mask = pyvips.Image.new_from_array(rows, scale=total if kernel.normal and total else 1.0)
    colour, alpha = apart(frame)
    if alpha is None or min(kernel.weights) < 0:
        made = colour.conv(mask, precision="float")
    else:
        gain = 1.0 if kernel.normal or not total else total
        weighted = frame.premultiply().conv(mask, precision="float")
        made = apart((weighted / gain).unpremultiply())[0] * gain
    return together(made.rint().cast(frame.format).copy(interpretation=frame.interpretation), alpha)
