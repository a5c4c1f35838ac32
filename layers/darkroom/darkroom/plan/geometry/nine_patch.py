"""The layout of a nine-patch around an image: Android's format, as thumbor's ``frame()`` interprets it.

The outermost pixels of the file are marks. Opaque black marks in the first row and column select what may be stretched.
Black marks in the last row and column select the content: the parts before and after it are margins around the image.
Sources: Android developers, "NinePatch drawables"; thumbor 7.8, ``ext/filters/_nine_patch``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple


class Segment(NamedTuple):
    """``length`` rows or columns of the frame from ``start``, which become ``target_length`` px from ``target``."""

    start: int
    length: int
    target: int
    target_length: int


def measure_content_margins(content: Sequence[bool]) -> tuple[int, int]:
    """Return the px before and after the content on an axis, from its marks without corners; (0, 0) without marks."""
    if True not in content:
        return 0, 0
    return content.index(True), list(reversed(content)).index(True)


def stretch_segments(stretches: Sequence[bool], side_px: int) -> list[Segment]:
    """Return the segments of a frame on an axis of ``side_px``, from its marks without corners.

    Together they fill the side. Fixed segments keep their length. If they are longer than the side, they shrink and the
    stretchable ones vanish. Without stretchable segments the frame keeps its length.
    """
    grouped = [(stretched, len(list(marks))) for stretched, marks in groupby(stretches)]
    fixed = sum(length for stretched, length in grouped if not stretched)
    elastic = len(stretches) - fixed
    by = {False: min(1.0, side_px / fixed) if fixed else 1.0}
    by[True] = max(0, side_px - fixed) / elastic if elastic else 0.0
    return [run for run in _build_segments(grouped, by) if run.target_length]


def _build_segments(grouped: Sequence[tuple[bool, int]], by: dict[bool, float]) -> Iterator[Segment]:
    start, end = 0, 0.0
    for stretched, length in grouped:
        begin, end = end, end + length * by[stretched]
        yield Segment(start, length, round(begin), round(end) - round(begin))
        start += length
