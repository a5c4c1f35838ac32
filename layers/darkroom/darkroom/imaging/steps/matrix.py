"""Mix the channels."""

from __future__ import annotations

import pyvips

from ...plan.model import Matrix
from ..colour import apart, peak, require_colour, together
from ..work import Work


def mix(work: Work) -> None:
    """Make each channel a weighted sum of all three and a constant, on sRGB values from 0 to 1, clipped; alpha stays.

    Grey pictures stay grey where grey stays.
    """
    work.each(lambda frame: _mixed(frame, work.plan.matrix))


def _mixed(frame: pyvips.Image, matrix: Matrix) -> pyvips.Image:
    colour, alpha = apart(frame)
    rows = [matrix[at : at + 4] for at in (0, 4, 8)]
    greys = [(sum(row[:3]), row[3]) for row in rows]
    if colour.bands < 3 and greys[0] == greys[1] == greys[2]:
        mixed = colour * greys[0][0] + greys[0][1] * peak(frame)
    else:
        colour = require_colour(colour)
        mixed = colour.recomb([list(row[:3]) for row in rows]) + [row[3] * peak(frame) for row in rows]
    return together(mixed.rint().cast(frame.format).copy(interpretation=colour.interpretation), alpha)
