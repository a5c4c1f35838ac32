"""Sizes and boxes in whole pixels, and their transformation by EXIF orientation and scale."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import NamedTuple

INVERSE_ORIENTATIONS = {6: 8, 8: 6}
"""The inverse of each orientation that is not its own inverse."""

STORED_POINTS: dict[int, Callable[[float, float], tuple[float, float]]] = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (y, 1 - x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (1 - y, x),
}
"""By orientation, the function that maps a point of the upright picture to the stored picture, in fractions."""


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def transposed(self) -> Size:
        return Size(self.height, self.width)


class Box(NamedTuple):
    """A region in pixels; ``left`` and ``top`` count from the upper left corner."""

    left: int
    top: int
    width: int
    height: int

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


def round_half_up(length: float) -> int:
    """Round ``length``, halves upwards, as Go and C do for numbers that are not negative."""
    return floor(length + 0.5)


def to_stored_box(box: Box, upright: Size, orientation: int) -> Box:
    """Map a region of the upright picture to the stored picture, which ``orientation`` turns upright."""
    left, top, width, height = box
    right, bottom = upright.width - left - width, upright.height - top - height
    return {
        1: Box(left, top, width, height),
        2: Box(right, top, width, height),
        3: Box(right, bottom, width, height),
        4: Box(left, bottom, width, height),
        5: Box(top, left, height, width),
        6: Box(top, right, height, width),
        7: Box(bottom, right, height, width),
        8: Box(bottom, left, height, width),
    }[orientation]


def to_upright_box(box: Box, stored: Size, orientation: int) -> Box:
    """Map a region of the stored picture to the upright picture."""
    return to_stored_box(box, stored, INVERSE_ORIENTATIONS.get(orientation, orientation))


def rescale_box(box: Box, size: Size, other: Size) -> Box:
    """Scale ``box`` from a picture of ``size`` to one of ``other``; edges are rounded and at least 1 px apart."""
    left = min(round(box.left * other.width / size.width), other.width - 1)
    top = min(round(box.top * other.height / size.height), other.height - 1)
    right = max(left + 1, round((box.left + box.width) * other.width / size.width))
    bottom = max(top + 1, round((box.top + box.height) * other.height / size.height))
    return Box(left, top, min(right, other.width) - left, min(bottom, other.height) - top)
