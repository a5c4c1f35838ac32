"""Where one rectangle stands in another: the window that a cover keeps, a cut, a picture in a larger canvas.

Lengths and gravities are those of imgproxy (``processing/calc_position.go``): an offset moves inwards from the side
that gravity names, and right and down from the middle. Halves of a pixel are rounded up in sizes, to even in places.
"""

from __future__ import annotations

from math import ceil, cos, floor, radians, sin
from typing import NamedTuple

from ...errors import BadOption
from ..model import Ellipse, Extension, Gravity, Length
from .boxes import Box, Size, round_half_up

FREE_SPACE_SHARES: dict[str, tuple[float, float]] = {
    "center": (0.5, 0.5),
    "north": (0.5, 0.0),
    "northeast": (1.0, 0.0),
    "east": (1.0, 0.5),
    "southeast": (1.0, 1.0),
    "south": (0.5, 1.0),
    "southwest": (0.0, 1.0),
    "west": (0.0, 0.5),
    "northwest": (0.0, 0.0),
}
"""By compass word, how much of the free room lies to the left and above."""

_FLOAT_ERROR = 1e-6
"""Of a pixel: what floating point leaves of a whole number."""


def resolve_length(length: Length, side: int) -> int:
    """``length`` in px, signed: of ``side`` where it is a part."""
    return round(length * side) if abs(length) < 1 else int(length)


class EvenCentring(NamedTuple):
    """How imgproxy centres, with halves to even; ``reversed`` are the axes that a turn or a mirror reverses later."""

    reversed: tuple[bool, bool] = (False, False)

    def middle(self, room: int, axis: int) -> int:
        """How much of ``room`` px lies before what is in its middle; in imgproxy ``ShrinkToEven(room + 1, 2)``."""
        before = round((room + 1) / 2)
        return room - before if self.reversed[axis] else before

    def around(self, point: float, side: int, kept: int, axis: int) -> int:
        """The first of ``kept`` px of ``side`` that have ``point``, a fraction, in their middle, within ``side``."""
        room = side - kept
        if self.reversed[axis]:
            return room - max(0, min(round((1 - point) * side) - kept // 2, room))
        return max(0, min(round(point * side) - kept // 2, room))


def place_window(
    outer: Size,
    inner: Size,
    gravity: Gravity,
    dx: Length = 0.0,
    dy: Length = 0.0,
    *,
    ratio: float = 1.0,
    even: EvenCentring | None = None,
) -> Box:
    """``inner``, which is no larger, where ``gravity`` puts it in ``outer``; ``ratio`` multiplies offsets in px."""
    left = _compute_start(outer.width, inner.width, gravity, scale_offset(dx, ratio), 0, even)
    top = _compute_start(outer.height, inner.height, gravity, scale_offset(dy, ratio), 1, even)
    return Box(left, top, *inner)


def scale_offset(length: Length, ratio: float) -> Length:
    """``length`` times ``ratio`` where it is in px: whole, halves to even."""
    return length if ratio == 1 or abs(length) < 1 else float(round(length * ratio))


def _compute_start(side: int, kept: int, gravity: Gravity, offset: Length, axis: int, even: EvenCentring | None) -> int:
    """The first pixel on one axis. A focal point has no offset."""
    room = side - kept
    if gravity.name == "fp":
        point = (gravity.x, gravity.y)[axis]
        return center_window(point * side, side, kept) if even is None else even.around(point, side, kept, axis)
    share = FREE_SPACE_SHARES.get(gravity.name, (0.5, 0.5))[axis]
    if even is not None and share == 0.5:
        return max(0, min(even.middle(room, axis) + resolve_length(offset, side), room))
    return max(0, min(place_inwards(side, kept, share, offset), room))


def center_window(middle: float, side: int, kept: int) -> int:
    """The first of the ``kept`` pixels of ``side`` that have ``middle`` as near to theirs as they can."""
    return min(max(0, round(middle - kept / 2)), side - kept)


def place_inwards(side: int, kept: int, share: float, offset: Length) -> int:
    """Where ``kept`` px begin in ``side``, with ``share`` of the room before them, moved inwards; perhaps outside."""
    return round((side - kept) * share) + (-1 if share == 1 else 1) * resolve_length(offset, side)


def rotate_size(size: Size, degrees: float) -> Size:
    """The size that holds a picture of ``size`` turned about its middle by ``degrees``."""
    if not degrees:
        return size
    across, down = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    sides = (size.width * across + size.height * down, size.width * down + size.height * across)
    return Size(*(ceil(side - _FLOAT_ERROR) for side in sides))


def compute_rotation_growth(degrees: float) -> float:
    """How much longer than the longer side of a picture the sides can be that hold it turned by ``degrees``."""
    return abs(cos(radians(degrees))) + abs(sin(radians(degrees)))


def extend_canvas(
    size: Size, wanted: Size, extension: Extension, room: Size, *, ratio: float = 1.0, even: EvenCentring | None = None
) -> Box | None:
    """``size`` in the canvas that ``extension`` puts around it: its place, and in ``Box.size`` the canvas' own.

    ``wanted`` is the box, 0 for a side that it does not have; ``room`` the largest canvas. None where none is needed.
    """
    sides = wanted if extension.to == "box" else extend_to_ratio(size, wanted)
    around = Size(*(max(own, min(side, most)) for own, side, most in zip(size, sides, room, strict=True)))
    if around == size:
        return None
    if extension.position == "fp":
        place = place_window(around, size, Gravity("fp", extension.dx, extension.dy), even=even)
    else:
        place = place_window(
            around, size, Gravity(extension.position), extension.dx, extension.dy, ratio=ratio, even=even
        )
    return Box(place.left, place.top, *around)


def extend_to_ratio(size: Size, wanted: Size) -> Size:
    """``size`` made longer on one axis until it has the sides' ratio of ``wanted``."""
    if not (wanted.width and wanted.height):
        return size
    return Size(
        round_half_up(size.height * wanted.width / wanted.height),
        round_half_up(size.width * wanted.height / wanted.width),
    )


def compute_ellipse_bounds(ellipse: Ellipse, size: Size) -> Box:
    """What ``ellipse`` leaves of a picture of ``size``; raises BadOption where that is nothing."""
    middle_x, middle_y, across, down = compute_ellipse_axes(ellipse, size)
    left, right = max(0, floor(middle_x - across)), min(size.width, ceil(middle_x + across))
    top, bottom = max(0, floor(middle_y - down)), min(size.height, ceil(middle_y + down))
    if left >= right or top >= bottom:
        raise BadOption(
            f"The ellipse lies outside of the picture, which is {size.width} × {size.height} px", option="ell"
        )
    return Box(left, top, right - left, bottom - top)


def compute_ellipse_axes(ellipse: Ellipse, size: Size) -> tuple[float, float, float, float]:
    """The middle of ``ellipse`` in a picture of ``size``, and its radii across and down, in px."""
    half = min(size) / 2
    return (
        ellipse.x or size.width / 2,
        ellipse.y or size.height / 2,
        ellipse.rx or half,
        ellipse.ry or half,
    )
