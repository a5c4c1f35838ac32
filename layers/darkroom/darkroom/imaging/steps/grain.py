"""Grain."""

from __future__ import annotations

from random import Random

import pyvips

from ..colour.convert import PEAK_8_BIT, get_white_level, join_alpha, split_alpha
from ..work import Work

TILE_PX = 512
"""The grain repeats after so many pixels: nobody sees that in noise."""

SEED = 1
"""Always the same, so that a picture that is made anew is the same."""


def add_grain(work: Work) -> None:
    """Add to all channels of a pixel one random number, evenly out of ``noise`` levels of 255 around 0, clipped.

    The levels are thumbor's (``_noise.c``): half of them, rounded down, are below 0. Alpha stays.
    """
    amount = work.plan.noise
    numbers = Random(SEED).randbytes(TILE_PX**2)  # noqa: S311
    tile = pyvips.Image.new_from_memory(numbers, TILE_PX, TILE_PX, 1, "uchar")
    levels = ((tile * (amount / 256)).floor() - amount // 2).copy_memory()
    work.each(lambda frame: _grained(frame, levels))


def _grained(frame: pyvips.Image, levels: pyvips.Image) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    across, down = -(-frame.width // TILE_PX), -(-frame.height // TILE_PX)
    grain = levels.replicate(across, down).crop(0, 0, frame.width, frame.height) * (get_white_level(frame) / PEAK_8_BIT)
    return join_alpha((colour + grain).rint().cast(frame.format).copy(interpretation=frame.interpretation), alpha)
