"""Take the red out of eyes that a flash has lit."""

from __future__ import annotations

from functools import reduce

import pyvips

from ...findings import faces_of
from ...plan.geometry.layout import Box
from ...plan.geometry.red_eye import locate_eyes
from ..colour.convert import ensure_rgb, join_alpha, split_alpha, to_eight_bits
from ..work import Work

RED_TIMES = 2.0
LEAST_RED = 60
"""What counts as lit: more red than twice the mean of green and blue, and not dark (thumbor, ``filters/redeye.py``)."""


def darken_red_eyes(work: Work) -> None:
    """Make lit pupils grey, where findings have faces: as bright as their green and blue are.

    Of stills: what moves has been looked at in its first frame only.
    """
    places = locate_eyes(faces_of(work.findings), work.geometry)
    if len(work.frames) == 1 and places:
        work.each(lambda frame: reduce(_darkened, places, to_eight_bits(ensure_rgb(frame))))


def _darkened(frame: pyvips.Image, eye: Box) -> pyvips.Image:
    colour, alpha = split_alpha(frame.crop(*eye))
    red, green, blue = colour.bandsplit()
    mean = (green + blue) / 2
    lit = (red > mean * RED_TIMES) & (red > LEAST_RED)
    grey = mean.rint().cast("uchar")
    clear = lit.ifthenelse(grey.bandjoin([grey, grey]), colour).copy(interpretation=frame.interpretation)
    return frame.insert(join_alpha(clear, alpha), eye.left, eye.top)
