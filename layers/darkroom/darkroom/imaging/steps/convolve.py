"""Convolve with any kernel."""

from __future__ import annotations

import pyvips

from ...plan.model import Convolution
from ..colour.convert import fill_invisible, join_alpha, split_alpha
from ..work import Work


def convolve(work: Work) -> None:
    """Make each value the sum of its neighbours' by the kernel's weights, clipped; edges are continued.

    Colours are weighted by their alpha, and alpha is convolved as well, as in sharp, by the weights over their sum. A
    kernel without a positive sum, which finds edges, leaves alpha as it is: nothing would be visible else.
    """
    kernel = work.plan.convolution
    assert kernel is not None
    work.each(lambda frame: _convolved(frame, kernel))


def _convolved(frame: pyvips.Image, kernel: Convolution) -> pyvips.Image:
    total = sum(kernel.weights)
    rows = [list(kernel.weights[at : at + kernel.columns]) for at in range(0, len(kernel.weights), kernel.columns)]
    alpha = split_alpha(frame)[1]
    if alpha is None or total <= 0:
        mask = pyvips.Image.new_from_array(rows, scale=total if kernel.normal and total else 1.0)
        made = join_alpha(fill_invisible(frame, len(rows)).conv(mask, precision="float"), alpha)
    else:
        mask = pyvips.Image.new_from_array(rows, scale=total)
        colour, alpha = split_alpha(frame.premultiply().conv(mask, precision="float").unpremultiply())
        made = join_alpha(colour if kernel.normal else colour * total, alpha)
    return made.rint().cast(frame.format).copy(interpretation=frame.interpretation)
