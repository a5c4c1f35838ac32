"""Take the middle of each pixel's neighbours."""

from __future__ import annotations

import pyvips

from ..colour import apart, together
from ..work import Work


def smooth(work: Work) -> None:
    """Make each value the median of the ``median`` × ``median`` around it: dust goes, edges stay. Alpha stays too."""
    side = min(work.plan.median, work.frames[0].width, work.frames[0].height)
    if side < 2:
        return
    work.each(lambda frame: _smoothed(frame, side))


def _smoothed(frame: pyvips.Image, side: int) -> pyvips.Image:
    colour, alpha = apart(frame)
    return together(colour.median(side).copy(interpretation=frame.interpretation), alpha)
