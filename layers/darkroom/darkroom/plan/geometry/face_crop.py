"""What is left of a source where a plan goes near its faces: pure arithmetic, in pixels of the upright source."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

from ...errors import BadOption
from ...findings import Region
from ..model import FaceCrop, Plan
from .boxes import Box, Size
from .crop import compute_crop
from .face_gravity import MIN_VISIBLE_SHARE, move_window_to_faces
from .layout import Geometry, compute_geometry


def crop_to_faces(plan: Plan, stored: Size, orientation: int, faces: Sequence[Region]) -> Box | None:
    """The region of the upright source that ``plan`` keeps for the sake of ``faces``; None where no face changes it.

    ``faces`` are fractions of the upright source. Raises BadOption for a face that there is not, as AWS's Dynamic Image
    Transformation refuses it (``SmartCrop::FaceIndexOutOfRange``), unless there is none at all.
    """
    upright = stored.transposed if orientation >= 5 else stored
    if plan.face_crop is not None:
        return _crop_to_face(plan.face_crop, upright, compute_crop(plan, upright).subject, faces)
    if plan.face_zoom and plan.gravity.name == "face":
        return _zoom_to_faces(compute_geometry(plan, stored, orientation), faces, plan.face_zoom)
    return None


def _crop_to_face(wanted: FaceCrop, upright: Size, region: Box, faces: Sequence[Region]) -> Box | None:
    """The face with its padding, as far as ``region`` has them."""
    inside = [box for face in faces if (box := _intersect(face, upright, region)) is not None]
    if not inside:
        return None
    if wanted.rank >= len(inside):
        raise BadOption(f"There is no face {wanted.rank}: the picture has {len(inside)}, counted from 0", option="face")
    left, top, width, height = sorted(inside, key=lambda box: (-box.width * box.height, box))[wanted.rank]
    first, upper = max(region.left, left - wanted.padding), max(region.top, top - wanted.padding)
    last = min(region.left + region.width, left + width + wanted.padding)
    lower = min(region.top + region.height, top + height + wanted.padding)
    return Box(first, upper, last - first, lower - upper)


def _intersect(face: Region, upright: Size, region: Box) -> Box | None:
    """The pixels of ``region`` that ``face`` touches; None if it has too little of it."""
    edges = (face.left, face.top, face.left + face.width, face.top + face.height)
    left, top, right, bottom = (edge * side for edge, side in zip(edges, (*upright, *upright), strict=True))
    first, upper = max(region.left, floor(left)), max(region.top, floor(top))
    last = min(region.left + region.width, ceil(right))
    lower = min(region.top + region.height, ceil(bottom))
    if (
        first >= last
        or upper >= lower
        or (last - first) * (lower - upper) < MIN_VISIBLE_SHARE * (right - left) * (bottom - top)
    ):
        return None
    return Box(first, upper, last - first, lower - upper)


def _zoom_to_faces(widest: Geometry, faces: Sequence[Region], closeness: float) -> Box | None:
    """From what a cover keeps at its widest to its shape drawn tight around the faces that are in it."""
    shown = move_window_to_faces(widest, faces)
    wide = _compute_source_box(shown)
    kept = [box for face in faces if (box := _intersect(face, widest.upright, wide)) is not None]
    if not kept:
        return None
    tight = _expand_to_shape(_enclose(kept), wide)
    return Box(*(round(far + (near - far) * closeness) for far, near in zip(wide, tight, strict=True)))


def _compute_source_box(geometry: Geometry) -> Box:
    """The part of the upright source that ``geometry`` keeps."""
    subject, scaled = geometry.subject, geometry.scaled
    left, top, width, height = geometry.window or Box(0, 0, *scaled)
    across, down = subject.width / scaled.width, subject.height / scaled.height
    first, upper = subject.left + floor(left * across), subject.top + floor(top * down)
    last = min(subject.left + subject.width, subject.left + ceil((left + width) * across))
    lower = min(subject.top + subject.height, subject.top + ceil((top + height) * down))
    return Box(first, upper, last - first, lower - upper)


def _enclose(boxes: Sequence[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)


def _expand_to_shape(inner: Box, outer: Box) -> Box:
    """The smallest box of ``outer``'s shape in it that holds ``inner``, around its middle where there is room."""
    factor = max(inner.width / outer.width, inner.height / outer.height)
    width = min(outer.width, max(1, ceil(outer.width * factor)))
    height = min(outer.height, max(1, ceil(outer.height * factor)))
    left = round(inner.left + (inner.width - width) / 2)
    top = round(inner.top + (inner.height - height) / 2)
    return Box(
        min(max(left, outer.left), outer.left + outer.width - width),
        min(max(top, outer.top), outer.top + outer.height - height),
        width,
        height,
    )
