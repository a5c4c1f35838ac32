"""The region of the upright source that a plan keeps, computed without pixels."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import BadOption
from ..model import Crop, CropTo, Gravity, Padding, Plan
from .boxes import Box, Size, round_half_up
from .placement import EvenCentring, place_window


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
    """Move ``box`` from the coordinates of ``region`` to those of the picture."""
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
    """Return the region of ``crop`` in whole pixels, clipped to the picture."""
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
