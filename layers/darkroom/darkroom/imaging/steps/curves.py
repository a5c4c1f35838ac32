"""Tone curves."""

from __future__ import annotations

from itertools import pairwise

import pyvips

from ...plan.model import Curve
from ..colour.convert import PEAK_8_BIT, ensure_rgb, get_white_level, join_alpha, split_alpha
from ..work import Work

LEVELS = range(PEAK_8_BIT + 1)


def bend(work: Work) -> None:
    """Put red, green and blue through their own curve, then each through that of all; alpha stays.

    Grey pictures stay grey where the three curves are one.
    """
    curves = work.plan.curves
    assert curves is not None
    every, *each = ([round(level) for level in table_of(curve)] for curve in curves)
    tables = [[every[level] for level in one] for one in each]
    work.each(lambda frame: _bent(frame, tables))


def table_of(curve: Curve) -> list[float]:
    """By level, what ``curve`` makes of it, from 0 to 255: a natural cubic spline, as in thumbor's ``_curve.c``.

    Beyond its ends it is level. A curve without points changes nothing.
    """
    if not curve:
        return [float(level) for level in LEVELS]
    bends = _second_derivatives(curve)
    found = [float(curve[0][1] if level <= curve[0][0] else curve[-1][1]) for level in LEVELS]
    for ((x, y), (next_x, next_y)), (bend_here, bend_there) in zip(pairwise(curve), pairwise(bends), strict=True):
        width = next_x - x
        for level in range(x, next_x):
            there = (level - x) / width
            here = 1 - there
            bulge = (here**3 - here) * bend_here + (there**3 - there) * bend_there
            found[level] = here * y + there * next_y + width * width / 6 * bulge
    return [min(max(value, 0.0), float(PEAK_8_BIT)) for value in found]


def _second_derivatives(curve: Curve) -> list[float]:
    """Of the natural cubic spline through ``curve``, at its points: those at the ends are 0 (Thomas' algorithm)."""
    slopes = [(next_y - y) / (next_x - x) for (x, y), (next_x, next_y) in pairwise(curve)]
    ahead, found = [0.0], [0.0]
    for at in range(1, len(curve) - 1):
        before, after = curve[at][0] - curve[at - 1][0], curve[at + 1][0] - curve[at][0]
        pivot = (before + after) / 3 - before / 6 * ahead[-1]
        ahead.append(after / 6 / pivot)
        found.append((slopes[at] - slopes[at - 1] - before / 6 * found[-1]) / pivot)
    solved = [0.0]
    for share, value in zip(reversed(ahead[1:]), reversed(found[1:]), strict=True):
        solved.append(value - share * solved[-1])
    return [0.0, *reversed(solved)]


def _bent(frame: pyvips.Image, tables: list[list[int]]) -> pyvips.Image:
    colour, alpha = split_alpha(frame)
    same = tables[0] == tables[1] == tables[2]
    colour = colour if same else ensure_rgb(colour)
    bands = [pyvips.Image.new_from_array([one]) for one in (tables[:1] if same else tables)]
    table = bands[0].bandjoin(bands[1:]) if len(bands) > 1 else bands[0]
    mapped = colour.maplut(_sixteen(table) if get_white_level(frame) > PEAK_8_BIT else table.cast("uchar"))
    return join_alpha(mapped.copy(interpretation=colour.interpretation), alpha)


def _sixteen(table: pyvips.Image) -> pyvips.Image:
    """``table`` for 16 bits, straight between its levels."""
    places = (pyvips.Image.identity(ushort=True) / 257).bandjoin(0)
    fine = table.cast("float").mapim(places, interpolate=pyvips.Interpolate.new("bilinear"), extend="copy")
    return (fine * 257).rint().cast("ushort")
