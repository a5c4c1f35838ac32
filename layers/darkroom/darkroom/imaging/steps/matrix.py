"""Mix the channels."""

from __future__ import annotations

from functools import partial
from itertools import batched

import pyvips

from ...plan.model import IDENTITY, Matrix
from ..colour.convert import ensure_rgb, get_white_level, join_alpha, split_alpha
from ..work import Work


def mix(work: Work) -> None:
    """Make each channel a weighted sum of all three and a constant, on sRGB values from 0 to 1, clipped; alpha stays.

    Of several matrices, each is applied to what the last one left. Grey pictures stay grey where grey stays.
    """
    apply_matrices(work, work.plan.matrix)


def apply_matrices(work: Work, matrices: Matrix) -> None:
    """Apply each of ``matrices``, in their order."""
    for matrix in batched(matrices, len(IDENTITY), strict=True):
        work.each(partial(_mixed, matrix=matrix))


def _mixed(frame: pyvips.Image, matrix: Matrix) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    rows = [matrix[at : at + 4] for at in (0, 4, 8)]
    greys = [(sum(row[:3]), row[3]) for row in rows]
    if colour.bands < 3 and greys[0] == greys[1] == greys[2]:
        mixed = colour * greys[0][0] + greys[0][1] * get_white_level(frame)
    else:
        colour = ensure_rgb(colour)
        mixed = colour.recomb([list(row[:3]) for row in rows]) + [row[3] * get_white_level(frame) for row in rows]
    return join_alpha(mixed.rint().cast(frame.format).copy(interpretation=colour.interpretation), alpha)
