"""Sizes, boxes and positions in pixels: crops, the window of a cover, an image on a canvas, EXIF orientations.

Lengths and gravities are those of imgproxy (``processing/calc_position.go``): an offset moves inwards from the side
that gravity names, and right and down from the middle. Halves of a pixel are rounded up in sizes, to even in positions.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, cos, floor, radians, sin
from typing import NamedTuple

from ...errors import BadOption
from ..model import Crop, CropTo, Ellipse, Extension, Gravity, Length, Padding, Plan

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
"""By orientation, the function that maps a point of the upright image to the stored image, in fractions."""


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
    """Map a region of the upright image to the stored image, which ``orientation`` turns upright."""
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
    """Map a region of the stored image to the upright image."""
    return to_stored_box(box, stored, INVERSE_ORIENTATIONS.get(orientation, orientation))


def rescale_box(box: Box, size: Size, other: Size) -> Box:
    """Scale ``box`` from an image of ``size`` to one of ``other``; edges are rounded and at least 1 px apart."""
    left = min(round(box.left * other.width / size.width), other.width - 1)
    top = min(round(box.top * other.height / size.height), other.height - 1)
    right = max(left + 1, round((box.left + box.width) * other.width / size.width))
    bottom = max(top + 1, round((box.top + box.height) * other.height / size.height))
    return Box(left, top, min(right, other.width) - left, min(bottom, other.height) - top)


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
    """Return the bounding box of an image of ``size`` that is rotated by ``degrees``."""
    across, down = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    sides = (size.width * across + size.height * down, size.width * down + size.height * across)
    return Size(*(ceil(side - _FLOAT_ERROR) for side in sides))


def compute_rotation_growth(degrees: float) -> float:
    """Return the largest ratio of a side of :func:`rotate_size` to the longer side of the image."""
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
    """Return the bounds of ``ellipse``, clipped to an image of ``size``; raises BadOption if they are outside."""
    middle_x, middle_y, across, down = compute_ellipse_axes(ellipse, size)
    left, right = max(0, floor(middle_x - across)), min(size.width, ceil(middle_x + across))
    top, bottom = max(0, floor(middle_y - down)), min(size.height, ceil(middle_y + down))
    if left >= right or top >= bottom:
        raise BadOption(f"The ellipse is outside of the image of {size.width} × {size.height} px", option="ell")
    return Box(left, top, right - left, bottom - top)


def compute_ellipse_axes(ellipse: Ellipse, size: Size) -> tuple[float, float, float, float]:
    """Return the centre of ``ellipse`` in an image of ``size`` and its radii across and down, in px."""
    half = min(size) / 2
    return ellipse.x or size.width / 2, ellipse.y or size.height / 2, ellipse.rx or half, ellipse.ry or half


class CropRegion(NamedTuple):
    """The region that is kept. Where pixels decide its place, ``search_area`` is the region to search."""

    subject: Box
    search_area: Box | None = None


def compute_crop(plan: Plan, upright: Size) -> CropRegion:
    """Apply inset, crop and ``crop_to`` in this order; raises BadOption if nothing is left.

    With ``trim_first``, ``crop_to`` is not applied: :func:`apply_crop_to` does so after the trim.
    """
    whole = Box(0, 0, *upright)
    if plan.inset != Padding():
        whole = _apply_inset(plan.inset, upright)
    if plan.crop is not None:
        whole = _translate(_apply_crop(plan.crop, whole.size), whole)
    return CropRegion(whole) if plan.trim_first else apply_crop_to(plan, whole)


def apply_crop_to(plan: Plan, whole: Box) -> CropRegion:
    """Apply the plan's ``crop_to`` to ``whole``, a region of the upright source."""
    if plan.crop_to is None:
        return CropRegion(whole)
    size = Size(*(_resolve_length(side, of) for side, of in zip(plan.crop_to[:2], whole.size, strict=True)))
    if size == whole.size:
        return CropRegion(whole)
    return CropRegion(
        _translate(_place(plan, plan.crop_to, size, whole.size), whole),
        whole if plan.crop_to.gravity == "attention" else None,
    )


def _translate(box: Box, region: Box) -> Box:
    """Move ``box`` from the coordinates of ``region`` to those of the image."""
    return Box(box.left + region.left, box.top + region.top, box.width, box.height)


def _apply_inset(inset: Padding, upright: Size) -> Box:
    width, height = upright.width - inset.left - inset.right, upright.height - inset.top - inset.bottom
    if width < 1 or height < 1:
        raise BadOption(f"Nothing is left of the image of {upright.width} × {upright.height} px", option="inset")
    return Box(inset.left, inset.top, width, height)


def _resolve_length(length: float, side: int) -> int:
    """Return a side of ``crop_to`` in px, at most ``side``."""
    wanted = round_half_up(length * side) if length < 1 else int(length)
    return max(1, min(wanted, side)) if length else side


def _place(plan: Plan, cut: CropTo, size: Size, whole: Size) -> Box:
    even = EvenCentring() if plan.even_centre else None
    return place_window(whole, size, Gravity(cut.gravity, cut.x, cut.y), cut.dx, cut.dy, even=even)


def _apply_crop(crop: Crop, upright: Size) -> Box:
    """Return the region of ``crop`` in whole pixels, clipped to the image."""
    if crop.unit == "pct":
        left, right = (_divide_half_up(edge * upright.width, 100) for edge in (crop.x, crop.x + crop.width))
        top, bottom = (_divide_half_up(edge * upright.height, 100) for edge in (crop.y, crop.y + crop.height))
        left, top = min(left, upright.width - 1), min(top, upright.height - 1)
        right, bottom = min(right, upright.width), min(bottom, upright.height)
        return Box(left, top, max(1, right - left), max(1, bottom - top))
    left, top = int(crop.x), int(crop.y)
    if left >= upright.width or top >= upright.height:
        raise BadOption(f"crop is outside of the image of {upright.width} × {upright.height} px", option="crop")
    return Box(left, top, min(int(crop.width), upright.width - left), min(int(crop.height), upright.height - top))


def _divide_half_up(numerator: float, denominator: int) -> int:
    """Round ``numerator / denominator`` half up; exact for numerators in hundredths."""
    return (round(numerator * 100) * 2 + denominator * 100) // (denominator * 200)
