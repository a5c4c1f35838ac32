"""Make squares of pixels."""

from __future__ import annotations

import pyvips

from ..work import Work


def pixelate(work: Work) -> None:
    """Give squares of ``pixelate`` px their mean colour, from the upper left corner on, as imgproxy does.

    Squares that reach beyond the picture take its edge for what is there. Colours are weighted by their alpha.
    """
    if work.plan.pixelate < 2:
        return
    work.each(lambda frame: _squared(frame, work.plan.pixelate))


def _squared(frame: pyvips.Image, side: int) -> pyvips.Image:
    across, down = -(-frame.width // side), -(-frame.height // side)
    weighted = frame.premultiply() if frame.hasalpha() else frame
    mean = weighted.embed(0, 0, across * side, down * side, extend="copy").cast("float").shrink(side, side)
    mean = mean.unpremultiply() if frame.hasalpha() else mean
    squares = mean.rint().cast(frame.format).copy_memory().zoom(side, side).crop(0, 0, frame.width, frame.height)
    return squares.copy(interpretation=frame.interpretation)
