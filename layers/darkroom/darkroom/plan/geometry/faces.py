"""Geometry that depends on findings: gravity, crop to faces, red eyes, and findings of images that are not turned
upright.

Regions are fractions of the upright source. Nothing here reads pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil, floor
from typing import NamedTuple

from ...errors import BadOption
from ...findings import Finding, Findings, Region
from ..model import FaceCrop, Plan
from .layout import Geometry, compute_geometry
from .placement import STORED_POINTS, Box, Size, compute_crop

MARGINS = {"face": (0.5, 0.25, 0.25), "text": (0.3, 0.3, 0.3), "obj": (0.1, 0.1, 0.1)}
"""Margins above, beside and below what a gravity keeps, as fractions of its height and width. A crop keeps them if it
has room.

Detectors' boxes of faces reach from the forehead to the chin. The hair of the faces in ``tests/cases/faces.toml`` ends
up to 0.3 of a box above them, ears and neck within a quarter. Accents and descenders end within 0.3 of a line.
"""

MIN_VISIBLE_SHARE = 0.5
"""The fraction of a face that must be in a crop for the face to count. The same holds for text and objects."""

EYES_ACROSS, EYES_DOWN = (0.3, 0.7), 0.42
"""The centres of the eyes, as fractions of a face's width and height (faces of ``tests/cases/faces.toml``)."""

EYE_WIDTH, EYE_HEIGHT = 0.4, 0.28
"""The largest size of an eye, as fractions of the same. It has room for faces that are tilted or turned away."""


class _Interval(NamedTuple):
    """A region on one axis, and the margins ``before`` and ``after`` it that a crop should keep."""

    start: int
    end: int
    before: float
    after: float
    weight: float

    @property
    def length(self) -> int:
        return self.end - self.start


def move_window_to_regions(geometry: Geometry, regions: Sequence[Region], gravity: str = "face") -> Geometry:
    """Return ``geometry`` with its window moved to ``regions``, which are what ``gravity`` keeps.

    The window keeps all regions if they fit, with as much of their margins as fits. Otherwise it keeps the group whose
    widths have the largest sum, or the middle of the largest region if none fits. If crop and trim have left none, the
    window is searched by ``attention``.
    """
    window, scaled = geometry.window, geometry.scaled
    visible = [box for region in regions if (box := project_region(region, geometry)) is not None]
    if window is None or not visible:
        return replace(geometry, search="attention" if window else "")
    above, beside, below = MARGINS[gravity]
    across = [
        _Interval(left, left + width, beside * width, beside * width, (width * height) ** 0.5)
        for left, _, width, height in visible
    ]
    down = [
        _Interval(top, top + height, above * height, below * height, (width * height) ** 0.5)
        for _, top, width, height in visible
    ]
    left = _choose_start(across, scaled.width, window.width)
    top = _choose_start(down, scaled.height, window.height)
    return replace(geometry, window=Box(left, top, *window.size), search="")


def project_region(region: Region, geometry: Geometry) -> Box | None:
    """Return the pixels of the scaled image that ``region`` touches; None if a crop has left too little of it."""
    upright, subject, scaled = geometry.upright, geometry.subject, geometry.scaled
    across, down = scaled.width / subject.width, scaled.height / subject.height
    left = (region.left * upright.width - subject.left) * across
    top = (region.top * upright.height - subject.top) * down
    right = left + region.width * upright.width * across
    bottom = top + region.height * upright.height * down
    inner = (max(left, 0.0), max(top, 0.0), min(right, float(scaled.width)), min(bottom, float(scaled.height)))
    wide, tall = inner[2] - inner[0], inner[3] - inner[1]
    if min(wide, tall) <= 0 or wide * tall < MIN_VISIBLE_SHARE * (right - left) * (bottom - top):
        return None
    first, upper = floor(inner[0]), floor(inner[1])
    return Box(first, upper, ceil(inner[2]) - first, ceil(inner[3]) - upper)


def _choose_start(intervals: Sequence[_Interval], side: int, kept: int) -> int:
    """Return the first of the ``kept`` pixels of ``side``."""
    group = _choose_group([one for one in intervals if one.length <= kept], side, kept)
    if not group:
        largest = max(intervals, key=lambda one: (one.weight, -one.start))
        return _clamp(round((largest.start + largest.end - kept) / 2), 0, side - kept)
    first, last = min(one.start for one in group), max(one.end for one in group)
    before = first - min(one.start - one.before for one in group)
    after = max(one.end + one.after for one in group) - last
    spare = kept - (last - first)
    share = before / (before + after) if spare < before + after else (spare + before - after) / 2 / spare
    start = _clamp(round(first - spare * share), last - kept, first)
    return _clamp(start, 0, side - kept)


def _choose_group(intervals: Sequence[_Interval], side: int, kept: int) -> Sequence[_Interval]:
    """Return the heaviest group that ``kept`` pixels can hold; of equal ones, the nearest to the image's middle.

    It is enough to try windows that begin with a face: any other can be moved to the next one without losing a face.
    """
    groups = [
        [one for one in intervals if first.start <= one.start and one.end <= first.start + kept]
        for first in sorted(intervals)
    ]
    return max(groups, key=lambda group: (_sum_weights(group), -_measure_off_centre(group, side)), default=())


def _sum_weights(group: Sequence[_Interval]) -> float:
    return round(sum(one.weight for one in group), 6)


def _measure_off_centre(group: Sequence[_Interval], side: int) -> int:
    return abs(min(one.start for one in group) + max(one.end for one in group) - side)


def _clamp(number: int, low: int, high: int) -> int:
    return min(max(number, low), high)


def crop_to_faces(plan: Plan, stored: Size, orientation: int, faces: Sequence[Region]) -> Box | None:
    """Return the region of the upright source that ``plan`` keeps because of ``faces``; None if they do not change it.

    Raises BadOption for a rank that no face has, as AWS's Dynamic Image Transformation does
    (``SmartCrop::FaceIndexOutOfRange``), unless the image has no face.
    """
    upright = stored.transposed if orientation >= 5 else stored
    if plan.face_crop is not None:
        return _crop_to_face(plan.face_crop, upright, compute_crop(plan, upright).subject, faces)
    if plan.face_zoom and plan.gravity.name == "face":
        return _zoom_to_faces(compute_geometry(plan, stored, orientation), faces, plan.face_zoom)
    return None


def _crop_to_face(wanted: FaceCrop, upright: Size, region: Box, faces: Sequence[Region]) -> Box | None:
    """Return the face with its padding, clipped to ``region``."""
    inside = [box for face in faces if (box := _intersect(face, upright, region)) is not None]
    if not inside:
        return None
    if wanted.rank >= len(inside):
        raise BadOption(f"There is no face {wanted.rank}: the image has {len(inside)}, counted from 0", option="face")
    left, top, width, height = sorted(inside, key=lambda box: (-box.width * box.height, box))[wanted.rank]
    first, upper = max(region.left, left - wanted.padding), max(region.top, top - wanted.padding)
    last = min(region.left + region.width, left + width + wanted.padding)
    lower = min(region.top + region.height, top + height + wanted.padding)
    return Box(first, upper, last - first, lower - upper)


def _intersect(face: Region, upright: Size, region: Box) -> Box | None:
    """Return the pixels of ``region`` that ``face`` touches; None if too little of the face is in it."""
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
    """Interpolate between what a cover keeps (0) and the smallest box of its shape around the faces in it (1)."""
    wide = _compute_source_box(move_window_to_regions(widest, faces))
    kept = [box for face in faces if (box := _intersect(face, widest.upright, wide)) is not None]
    if not kept:
        return None
    tight = _expand_to_shape(_enclose(kept), wide)
    return Box(*(round(far + (near - far) * closeness) for far, near in zip(wide, tight, strict=True)))


def _compute_source_box(geometry: Geometry) -> Box:
    """Return the part of the upright source that ``geometry`` keeps."""
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
    """Return the smallest box of ``outer``'s shape in it that holds ``inner``, centred on it if there is room."""
    factor = max(inner.width / outer.width, inner.height / outer.height)
    width = min(outer.width, max(1, ceil(outer.width * factor)))
    height = min(outer.height, max(1, ceil(outer.height * factor)))
    left = round(inner.left + (inner.width - width) / 2)
    top = round(inner.top + (inner.height - height) / 2)
    return Box(
        _clamp(left, outer.left, outer.left + outer.width - width),
        _clamp(top, outer.top, outer.top + outer.height - height),
        width,
        height,
    )


def locate_eyes(faces: Sequence[Region], geometry: Geometry) -> list[Box]:
    """Return the rectangles of the eyes of ``faces``, in px of the upright image after resize and cover."""
    visible = [box for face in faces if (box := project_region(face, geometry)) is not None]
    return [eye for face in visible for eye in _locate_eyes(face, geometry)]


def _locate_eyes(face: Box, geometry: Geometry) -> Iterator[Box]:
    kept = geometry.window or Box(0, 0, *geometry.scaled)
    half_width, half_height = face.width * EYE_WIDTH / 2, face.height * EYE_HEIGHT / 2
    y = face.top - kept.top + face.height * EYES_DOWN
    for part in EYES_ACROSS:
        x = face.left - kept.left + face.width * part
        left, right = (_clamp(round(edge), 0, kept.width) for edge in (x - half_width, x + half_width))
        top, bottom = (_clamp(round(edge), 0, kept.height) for edge in (y - half_height, y + half_height))
        if left < right and top < bottom:
            yield Box(left, top, right - left, bottom - top)


def rotate_faces_to_stored(findings: Findings, orientation: int) -> Findings:
    """Return ``findings`` with faces in fractions of the stored image, which ``orientation`` turns upright.

    For plans that ignore EXIF orientation. Redacted images are always turned upright: what covers a face reaches
    farther above it than beside it.
    """
    return replace(
        findings, found={task: _rotate_finding(found, orientation) for task, found in findings.found.items()}
    )


def _rotate_finding(finding: Finding, orientation: int) -> Finding:
    return replace(
        finding, faces=tuple(replace(face, region=_rotate_region(face.region, orientation)) for face in finding.faces)
    )


def _rotate_region(region: Region, orientation: int) -> Region:
    turn = STORED_POINTS[orientation]
    one, other = turn(region.left, region.top), turn(region.left + region.width, region.top + region.height)
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(one, other, strict=True))
    return Region(left, top, right - left, bottom - top)
