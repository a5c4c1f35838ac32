"""Strips and a crown become one BigTIFF: its directories, and in which order everything lies behind them.

The directories come first, then the crown, then the strips. So a small derivative reads the front, as with
:mod:`..containers.tiffbinding`, and the strips are whole objects that S3 copies into their places by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from ...errors import OverLimits
from ...plan.geometry.layout import Size
from ...plan.limits import Limits
from ..containers.tiffwriting import BIG, Directory, Value, head
from ..formats.tiff.container import HEIGHT, REDUCED, SUB_DIRECTORIES, SUBFILE, TILE_BYTES, TILE_OFFSETS, WIDTH
from .crowning import Crown
from .cutting import Facts
from .planning import Scene

LEAST_PART_BYTES = 5 * 1024 * 1024
"""Of a multipart upload to S3, but for its last part."""
HEAD = -1
"""The number of what comes before the strips, among parts."""


class Slice(NamedTuple):
    """Bytes ``start`` to before ``end`` of the strip ``part``, or of the head."""

    part: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Binding:
    """A file: ``head``, then the strips in order, each of so many bytes."""

    head: bytes
    strip_bytes: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Of the file."""
        return len(self.head) + sum(self.strip_bytes)

    def runs(self, least_bytes: int = LEAST_PART_BYTES) -> list[list[Slice]]:
        """The file as parts of an upload of at least ``least_bytes`` each, but for the last one.

        A part of one slice of a strip is copied where that strip lies. The others are small: the head, and what it
        takes of the next strips to make it, or a small strip, large enough.
        """
        runs: list[list[Slice]] = []
        for part, size in enumerate((len(self.head), *self.strip_bytes), HEAD):
            lacking = max(0, least_bytes - _bytes(runs[-1])) if runs else 0
            taken = min(size, lacking)
            if 0 < size - taken < least_bytes and runs and lacking:
                taken = size  # what would be left is too small to stand alone
            if taken:
                runs[-1].append(Slice(part, 0, taken))
            if taken < size:
                runs.append([Slice(part, taken, size)])
        return runs


def _bytes(run: Sequence[Slice]) -> int:
    return sum(one.end - one.start for one in run)


def bind(scene: Scene, strips: Sequence[Facts], crown: Crown, limits: Limits) -> Binding:
    """The file of ``strips``, in order, and their ``crown``.

    Raises ValueError where they are not of one scene, and OverLimits where the file has more bytes than a scene may.
    """
    _check(scene, strips, crown)
    at = len(head(BIG))
    blank = _directories(scene, strips, crown, at, 0)
    tiles_at = blank[-1].end
    directories = _directories(scene, strips, crown, at, tiles_at)
    front = b"".join([head(BIG), *(one.written() for one in directories), crown.body])
    binding = Binding(front, tuple(strip.size_bytes for strip in strips))
    if binding.size_bytes > limits.max_scene_bytes:
        raise OverLimits(
            f"The source makes a picture to serve from of {binding.size_bytes:,} bytes; "
            f"the limit is {limits.max_scene_bytes:,}"
        )
    return binding


def _check(scene: Scene, strips: Sequence[Facts], crown: Crown) -> None:
    layout = scene.layout
    wanted = [
        tuple(layout.tiles(layout.part(number, level)) for level in range(layout.crown))
        for number in range(layout.strips)
    ]
    if [tuple(map(len, strip.lengths)) for strip in strips] != wanted:
        raise ValueError("these are not the strips of the scene")
    if {strip.alike for strip in strips} != {crown.facts.alike}:
        raise ValueError("the strips are not encoded alike")


def _directories(scene: Scene, strips: Sequence[Facts], crown: Crown, at: int, crown_at: int) -> list[Directory]:
    """Those of all levels, in full first, from ``at`` on; tiles begin at ``crown_at``."""
    levels = [*_levels_in_strips(scene, strips, crown_at + len(crown.body)), *_levels_of_crown(crown, crown_at)]
    values = [_values(crown.values, size, *level) for size, level in zip(scene.layout.sizes, levels, strict=True)]
    for level in values[1:]:
        level[SUBFILE] = Value.longs([REDUCED])
    values[0][SUB_DIRECTORIES] = Value.places([0] * (len(values) - 1), BIG)
    lengths = [Directory(level, BIG).end for level in values]
    starts = list(accumulate(lengths[:-1], initial=at))
    values[0][SUB_DIRECTORIES] = Value.places(starts[1:], BIG)
    return [Directory(level, BIG, start) for level, start in zip(values, starts, strict=True)]


def _values(alike: Mapping[int, Value], size: Size, places: list[int], lengths: list[int]) -> dict[int, Value]:
    return {
        **alike,
        WIDTH: Value.longs([size.width]),
        HEIGHT: Value.longs([size.height]),
        TILE_OFFSETS: Value.places(places, BIG),
        TILE_BYTES: Value.longs(lengths),
    }


def _levels_in_strips(scene: Scene, strips: Sequence[Facts], at: int) -> list[tuple[list[int], list[int]]]:
    """Places and lengths of the tiles of each level, in full first; the first strip begins at ``at``."""
    levels: list[tuple[list[int], list[int]]] = [([], []) for _ in range(scene.layout.crown)]
    for strip in strips:
        for level, own in zip(reversed(levels), reversed(strip.lengths), strict=True):
            level[0].extend(accumulate(own[:-1], initial=at) if own else ())
            level[1].extend(own)
            at += sum(own)
    return levels


def _levels_of_crown(crown: Crown, at: int) -> list[tuple[list[int], list[int]]]:
    levels = []
    for own in reversed(crown.facts.lengths):
        levels.append((list(accumulate(own[:-1], initial=at)), list(own)))
        at += sum(own)
    return levels[::-1]
