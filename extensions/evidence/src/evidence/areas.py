"""Coherent areas of small maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

type Box = tuple[int, int, int, int]
"""Left, top, width and height."""


class Area(NamedTuple):
    """A connected area of a map, and the box around it."""

    mask: NDArray[np.bool_]
    box: Box
    size: int


def smooth(values: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Return the mean of each window of ``window`` × ``window`` values, smaller at the edges."""
    sums = _sum_windows(values.astype(np.float64), window)
    return np.asarray(sums / _sum_windows(np.ones(values.shape), window), dtype=np.float32)


def _sum_windows(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    before, after = (window - 1) // 2 + 1, window // 2
    padded = np.pad(values, ((before, after), (before, after))).cumsum(axis=0).cumsum(axis=1)
    far, near = slice(window, None), slice(None, -window)
    return np.asarray(padded[far, far] - padded[near, far] - padded[far, near] + padded[near, near])


def find_areas(mask: NDArray[np.bool_]) -> Iterator[Area]:
    """Yield the areas of ``mask`` that are connected by edges, from the top."""
    left = mask.copy()
    while left.any():
        start = np.unravel_index(int(left.argmax()), left.shape)
        found = _flood(left, (int(start[0]), int(start[1])))
        left &= ~found
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        top, first = int(rows[0]), int(columns[0])
        box = (first, top, int(columns[-1]) - first + 1, int(rows[-1]) - top + 1)
        yield Area(found, box, int(found.sum()))


def find_largest(mask: NDArray[np.bool_]) -> Area | None:
    """Return the largest area of ``mask``, None if it is empty."""
    return max(find_areas(mask), key=lambda one: one.size, default=None)


def _flood(mask: NDArray[np.bool_], start: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the area of ``mask`` that ``start`` is in."""
    found = np.zeros_like(mask)
    found[start] = True
    waiting = [start]
    while waiting:
        row, column = waiting.pop()
        for place in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            inside = 0 <= place[0] < mask.shape[0] and 0 <= place[1] < mask.shape[1]
            if inside and mask[place] and not found[place]:
                found[place] = True
                waiting.append(place)
    return found
