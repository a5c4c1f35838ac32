"""The order in which lines of text are read: columns from left to right, rows of each from top to bottom.

A gutter separates columns of running text. Lines that cross it, such as headings, are read where they are, and separate
the columns above from those below. Cells of tables and forms are short, and read row by row.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from darkroom.findings import TextLine

GUTTER = 0.6
"""Width of the narrowest gutter, in heights of a line."""

RUNNING = 6.5
"""Median width of lines of running text, in heights of a line: some 13 letters, or 16 of a slanted line, which is found
higher than it is. Names in forms have fewer."""

LEAST_LINES = 3
"""Lines of each column."""

MOST_CROSSING = 0.25
"""Share of lines that may cross a gutter."""

SAME_ROW = 0.5
"""Distance of middles, in heights of a line, up to which two neighbours are in one row."""


class _Line(NamedTuple):
    """A line along the direction of the text: ``start`` to ``end``, ``upper`` to ``lower``."""

    place: int
    start: float
    end: float
    upper: float
    lower: float

    @property
    def middle(self) -> float:
        """The position down the page."""
        return (self.upper + self.lower) / 2


def sort_reading_order(lines: Sequence[TextLine], width: int, height: int) -> list[TextLine]:
    """Sort ``lines`` into reading order, by the direction of most of them."""
    if not lines:
        return []
    corners = np.array([line.corners for line in lines]) * (width, height)
    along = direction(corners)
    down = np.array([-along[1], along[0]])
    across, below = corners @ along, corners @ down
    placed = [
        _Line(index, *map(float, (across[index].min(), across[index].max(), below[index].min(), below[index].max())))
        for index in range(len(lines))
    ]
    line_px = float(np.median(np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1)))
    return [lines[one.place] for one in _sort(placed, max(line_px, 1.0))]


def direction(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit vector along most of the lines with ``corners`` (n, 4, 2), longer lines counting more."""
    along = (corners[:, 1] - corners[:, 0]).sum(axis=0)
    return np.asarray(along / max(float(np.hypot(*along)), 1e-9), np.float64)


def _sort(lines: Sequence[_Line], line_px: float) -> list[_Line]:
    gutter = _find_gutter(lines, line_px)
    if gutter is None:
        return _sort_rows(lines, line_px)
    crossing = _sort_rows([one for one in lines if one.start < gutter < one.end], line_px)
    middles = sorted(one.middle for one in crossing)
    ordered: list[_Line] = []
    for band in range(len(middles) + 1):
        inside = [one for one in lines if not one.start < gutter < one.end and bisect(middles, one.middle) == band]
        left, right = ([one for one in inside if (one.start >= gutter) is side] for side in (False, True))
        if _is_column(left, line_px) and _is_column(right, line_px):
            ordered += [*_sort(left, line_px), *_sort(right, line_px)]
        else:
            ordered += _sort_rows(inside, line_px)
        ordered += crossing[band : band + 1]
    return ordered


def _find_gutter(lines: Sequence[_Line], line_px: float) -> float | None:
    """Return the middle of the gutter that the fewest lines cross, and of these of the widest."""
    best: tuple[int, float, float] | None = None
    for edge in sorted({one.end for one in lines}):
        right = [one.start for one in lines if one.start >= edge]
        if not right:
            continue
        middle = (edge + min(right)) / 2
        crossing = sum(one.start < middle < one.end for one in lines)
        gap = min(right) - edge
        if gap < GUTTER * line_px or crossing > MOST_CROSSING * len(lines):
            continue
        sides = ([one for one in lines if one.end <= middle], [one for one in lines if one.start >= middle])
        if all(_is_column(side, line_px) for side in sides) and (best is None or (crossing, -gap) < best[:2]):
            best = (crossing, -gap, middle)
    return best[2] if best else None


def _is_column(lines: Sequence[_Line], line_px: float) -> bool:
    """Return whether ``lines`` may be a column of running text."""
    if len(lines) < LEAST_LINES:
        return False
    return float(np.median([one.end - one.start for one in lines])) >= RUNNING * line_px


def _sort_rows(lines: Sequence[_Line], line_px: float) -> list[_Line]:
    """Sort ``lines`` by rows, and each row by its starts."""
    rows: list[list[_Line]] = []
    for one in sorted(lines, key=lambda line: line.middle):
        if rows and one.middle - rows[-1][-1].middle <= SAME_ROW * line_px:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda line: line.start)]
