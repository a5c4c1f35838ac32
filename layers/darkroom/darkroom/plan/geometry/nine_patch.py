"""How a nine-patch fits around a picture: Android's format, read as thumbor's ``frame()`` reads it.

The outermost pixels of the file are marks, not picture. Where those of its first line and first column are opaque
black, it may be stretched. Those of its last line and last column are black beside its content: what lies before and
after them is room around the picture. Sources: Android developers, "NinePatch drawables"; thumbor 7.8,
``ext/filters/_nine_patch``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple


class Segment(NamedTuple):
    """Lines, or columns, of the frame from ``start`` on that become ``to_length`` px from ``to`` on."""

    start: int
    length: int
    target: int
    target_length: int


def measure_content_margins(content: Sequence[bool]) -> tuple[int, int]:
    """Pixels before and after the content on an axis, by its marks without those in the corners. No mark, no room."""
    if True not in content:
        return 0, 0
    return content.index(True), list(reversed(content)).index(True)


def stretch_segments(stretches: Sequence[bool], side_px: int) -> list[Segment]:
    """The runs of a frame on an axis of ``side_px``, by its marks without those in the corners.

    Together they fill the side. What is not stretched keeps its length, unless all of that is longer than the side: it
    shrinks then, and what is stretched vanishes. Where nothing is stretched, the frame keeps its length.
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
