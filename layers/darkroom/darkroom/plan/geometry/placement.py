"""The position of one rectangle in another: the window of a cover, a crop, a picture on a canvas.

Lengths and gravities are those of imgproxy (``processing/calc_position.go``): an offset moves inwards from the side
that gravity names, and right and down from the middle. Halves of a pixel are rounded up in sizes, to even in positions.
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
"""The share of the free space to the left of and above a rectangle, by compass point."""

_FLOAT_ERROR = 1e-6
"""In px. Floating-point arithmetic misses whole numbers by less."""


def resolve_length(length: Length, side: int) -> int:
    """Convert ``length`` to signed px; below 1 it is a fraction of ``side``."""
    return round(length * side) if abs(length) < 1 else int(length)


class EvenCentring(NamedTuple):
    """imgproxy's centring, with halves to even. ``reversed``: the axes that a rotation or mirror reverses later."""

    reversed: tuple[bool, bool] = (False, False)

    def middle(self, room: int, axis: int) -> int:
        """Return the part of ``room`` px before a centred rectangle; in imgproxy ``ShrinkToEven(room + 1, 2)``."""
        before = round((room + 1) / 2)
        return room - before if self.reversed[axis] else before

    def around(self, point: float, side: int, kept: int, axis: int) -> int:
        """Return where ``kept`` px of ``side`` start if they are centred on ``point``, a fraction."""
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
    """Place ``inner``, which is not larger, in ``outer`` by ``gravity``; ``ratio`` multiplies offsets in px."""
    left = _compute_start(outer.width, inner.width, gravity, scale_offset(dx, ratio), 0, even)
    top = _compute_start(outer.height, inner.height, gravity, scale_offset(dy, ratio), 1, even)
    return Box(left, top, *inner)


def scale_offset(length: Length, ratio: float) -> Length:
    """Multiply a ``length`` in px by ``ratio``, with halves rounded to even; return a fraction as it is."""
    return length if ratio == 1 or abs(length) < 1 else float(round(length * ratio))


def _compute_start(side: int, kept: int, gravity: Gravity, offset: Length, axis: int, even: EvenCentring | None) -> int:
    """Return the first pixel on one axis. A focal point has no offset."""
    room = side - kept
    if gravity.name == "fp":
        point = (gravity.x, gravity.y)[axis]
        return center_window(point * side, side, kept) if even is None else even.around(point, side, kept, axis)
    share = FREE_SPACE_SHARES.get(gravity.name, (0.5, 0.5))[axis]
    if even is not None and share == 0.5:
        return max(0, min(even.middle(room, axis) + resolve_length(offset, side), room))
    return max(0, min(place_inwards(side, kept, share, offset), room))


def center_window(middle: float, side: int, kept: int) -> int:
    """Return where ``kept`` px of ``side`` start if they are centred on ``middle``, clamped to ``side``."""
    return min(max(0, round(middle - kept / 2)), side - kept)


def place_inwards(side: int, kept: int, share: float, offset: Length) -> int:
    """Return where ``kept`` px of ``side`` start: after ``share`` of the room, moved inwards, not clamped."""
    return round((side - kept) * share) + (-1 if share == 1 else 1) * resolve_length(offset, side)


def rotate_size(size: Size, degrees: float) -> Size:
    """Return the bounding box of a picture of ``size`` that is rotated by ``degrees``."""
    across, down = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    sides = (size.width * across + size.height * down, size.width * down + size.height * across)
    return Size(*(ceil(side - _FLOAT_ERROR) for side in sides))


def compute_rotation_growth(degrees: float) -> float:
    """Return the largest ratio of a side of :func:`rotate_size` to the longer side of the picture."""
    return abs(cos(radians(degrees))) + abs(sin(radians(degrees)))


def extend_canvas(
    size: Size, wanted: Size, extension: Extension, room: Size, *, ratio: float = 1.0, even: EvenCentring | None = None
) -> Box | None:
    """Return the position of ``size`` on the canvas of ``extension``, with the size of the canvas in ``Box.size``.

    ``wanted`` is the box (0: no such side), ``room`` the largest canvas. None if the canvas is not larger.
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
    """Extend ``size`` on one axis to the aspect ratio of ``wanted``."""
    if not (wanted.width and wanted.height):
        return size
    return Size(
        round_half_up(size.height * wanted.width / wanted.height),
        round_half_up(size.width * wanted.height / wanted.width),
    )


def compute_ellipse_bounds(ellipse: Ellipse, size: Size) -> Box:
    """Return the bounds of ``ellipse``, clipped to a picture of ``size``; raises BadOption if they are outside."""
    middle_x, middle_y, across, down = compute_ellipse_axes(ellipse, size)
    left, right = max(0, floor(middle_x - across)), min(size.width, ceil(middle_x + across))
    top, bottom = max(0, floor(middle_y - down)), min(size.height, ceil(middle_y + down))
    if left >= right or top >= bottom:
        raise BadOption(f"The ellipse is outside of the image of {size.width} × {size.height} px", option="ell")
    return Box(left, top, right - left, bottom - top)


def compute_ellipse_axes(ellipse: Ellipse, size: Size) -> tuple[float, float, float, float]:
    """Return the centre of ``ellipse`` in a picture of ``size`` and its radii across and down, in px."""
    half = min(size) / 2
    return (
        ellipse.x or size.width / 2,
        ellipse.y or size.height / 2,
        ellipse.rx or half,
        ellipse.ry or half,
    )
