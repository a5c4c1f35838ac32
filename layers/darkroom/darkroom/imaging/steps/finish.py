"""Bring the picture into the form that encoders take."""

from __future__ import annotations

import pyvips

from ..colour.convert import PEAK_8_BIT, split_alpha, to_eight_bits
from ..work import Work


def finish(work: Work) -> None:
    """Round to 8 bits a band, hold the result in memory, and drop an alpha band that hides nothing."""
    work.frames = [to_eight_bits(frame) for frame in work.frames]
    if work.streams:
        return
    work.hold()
    if work.frames[0].hasalpha() and all(_opaque(frame) for frame in work.frames):
        work.frames = [split_alpha(frame)[0] for frame in work.frames]


def _opaque(frame: pyvips.Image) -> bool:
    alpha = split_alpha(frame)[1]
    return alpha is not None and alpha.min() == PEAK_8_BIT
