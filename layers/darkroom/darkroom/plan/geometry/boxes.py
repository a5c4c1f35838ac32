"""Sizes and boxes in whole pixels, and how a box moves when its picture is turned or scaled."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import NamedTuple

INVERSE_ORIENTATIONS = {6: 8, 8: 6}
"""The orientations that do not undo themselves."""

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
"""A point of the upright picture, in fractions, found in the picture that an orientation turns upright."""


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
    """``length`` rounded, halves upwards, as Go and C round what is not negative."""
    return floor(length + 0.5)


def to_stored_box(box: Box, upright: Size, orientation: int) -> Box:
    """A region of the upright picture, found in the picture that ``orientation`` turns upright."""
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
    """The opposite: a region of the stored picture, found in the upright one."""
    return to_stored_box(box, stored, INVERSE_ORIENTATIONS.get(orientation, orientation))


def rescale_box(box: Box, size: Size, other: Size) -> Box:
    """``box`` of a picture of ``size``, in another picture of the same scene: edges rounded, at least 1 px apart."""
    left = min(round(box.left * other.width / size.width), other.width - 1)
    top = min(round(box.top * other.height / size.height), other.height - 1)
    right = max(left + 1, round((box.left + box.width) * other.width / size.width))
    bottom = max(top + 1, round((box.top + box.height) * other.height / size.height))
    return Box(left, top, min(right, other.width) - left, min(bottom, other.height) - top)
