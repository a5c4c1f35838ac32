"""Where a cover keeps faces: pure arithmetic, in pixels of the scaled picture.

A cover has room on one axis only, since it is scaled to fill the box: so this is about intervals on a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, floor
from typing import NamedTuple

from ...findings import Region
from .boxes import Box
from .layout import Geometry

MARGIN_ABOVE, MARGIN_BESIDE, MARGIN_BELOW = 0.5, 0.25, 0.25
"""Room around a face, as parts of its height and width, where there is any.

Detectors' boxes reach from the forehead to the chin. The hair of the faces in ``tests/cases/faces.toml`` ends up to 0.3
of a box above them, ears and neck within a quarter; the rest is air.
"""

MIN_VISIBLE_SHARE = 0.5
"""The part of a face that a crop must leave, so that it still counts as one."""


class _Interval(NamedTuple):
    """A face on one axis: from ``start`` to ``end``, with the room that it would like ``before`` and ``after`` it."""

    start: int
    end: int
    before: float
    after: float
    weight: float

    @property
    def length(self) -> int:
        return self.end - self.start


def move_window_to_faces(geometry: Geometry, faces: Sequence[Region]) -> Geometry:
    """``geometry`` with its window where it keeps ``faces``, which are fractions of the upright source.

    It keeps all of them, and the room around them as far as there is any, if they fit. Else it keeps those whole whose
    widths together are the greatest, or the middle of the largest where none fits. Where no face lies in what crop and
    trim have left, the window is the most striking part.
    """
    window, scaled = geometry.window, geometry.scaled
    seen = [box for face in faces if (box := project_face(face, geometry)) is not None]
    if window is None or not seen:
        return replace(geometry, search="attention" if window else "")
    across = [
        _Interval(left, left + width, MARGIN_BESIDE * width, MARGIN_BESIDE * width, (width * height) ** 0.5)
        for left, _, width, height in seen
    ]
    down = [
        _Interval(top, top + height, MARGIN_ABOVE * height, MARGIN_BELOW * height, (width * height) ** 0.5)
        for _, top, width, height in seen
    ]
    left = _choose_start(across, scaled.width, window.width)
    top = _choose_start(down, scaled.height, window.height)
    return replace(geometry, window=Box(left, top, *window.size), search="")


def project_face(face: Region, geometry: Geometry) -> Box | None:
    """The pixels of the scaled picture that ``face`` touches, or None if a crop has left too little of it."""
    upright, subject, scaled = geometry.upright, geometry.subject, geometry.scaled
    across, down = scaled.width / subject.width, scaled.height / subject.height
    left = (face.left * upright.width - subject.left) * across
    top = (face.top * upright.height - subject.top) * down
    right = left + face.width * upright.width * across
    bottom = top + face.height * upright.height * down
    inner = (max(left, 0.0), max(top, 0.0), min(right, float(scaled.width)), min(bottom, float(scaled.height)))
    wide, tall = inner[2] - inner[0], inner[3] - inner[1]
    if min(wide, tall) <= 0 or wide * tall < MIN_VISIBLE_SHARE * (right - left) * (bottom - top):
        return None
    first, upper = floor(inner[0]), floor(inner[1])
    return Box(first, upper, ceil(inner[2]) - first, ceil(inner[3]) - upper)


def _choose_start(spans: Sequence[_Interval], side: int, kept: int) -> int:
    """The first of the ``kept`` pixels of ``side``."""
    group = _choose_group([span for span in spans if span.length <= kept], side, kept)
    if not group:
        largest = max(spans, key=lambda span: (span.weight, -span.start))
        return _clamp(round((largest.start + largest.end - kept) / 2), 0, side - kept)
    first, last = min(span.start for span in group), max(span.end for span in group)
    before = first - min(span.start - span.before for span in group)
    after = max(span.end + span.after for span in group) - last
    spare = kept - (last - first)
    share = before / (before + after) if spare < before + after else (spare + before - after) / 2 / spare
    start = _clamp(round(first - spare * share), last - kept, first)
    return _clamp(start, 0, side - kept)


def _choose_group(spans: Sequence[_Interval], side: int, kept: int) -> Sequence[_Interval]:
    """Those that one window of ``kept`` pixels can hold together; of equal ones the nearest to the picture's middle.

    Any window can be moved on until it begins with a face, without losing one.
    """
    groups = [
        [span for span in spans if first.start <= span.start and span.end <= first.start + kept]
        for first in sorted(spans)
    ]
    return max(groups, key=lambda group: (_sum_weights(group), -_measure_off_centre(group, side)), default=())


def _sum_weights(group: Sequence[_Interval]) -> float:
    return round(sum(span.weight for span in group), 6)


def _measure_off_centre(group: Sequence[_Interval], side: int) -> int:
    return abs(min(span.start for span in group) + max(span.end for span in group) - side)


def _clamp(number: int, low: int, high: int) -> int:
    return min(max(number, low), high)
