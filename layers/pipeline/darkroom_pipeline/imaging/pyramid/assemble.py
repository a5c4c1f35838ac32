"""Assemble strips and top levels into one BigTIFF: its directories, and the order of its parts.

The directories come first, then the top levels, then the strips. So a small derivative reads the front, as with
:mod:`.build`, and the strips are whole objects that S3 copies to their offsets by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from darkroom.errors import OverLimits
from darkroom.imaging.formats.probe import Header
from darkroom.imaging.formats.tiff.container import REDUCED, Tag
from darkroom.imaging.source import Source
from darkroom.plan.geometry.layout import Size
from darkroom.plan.limits import Limits

from .plan import PyramidPlan
from .strips import EncodedStrip, TileIndex, TopLevels, build_top_levels, cut_strip, encode_strip
from .tiff_write import BIG, Directory, Value, file_header
from .tiles import load_page

MIN_PART_BYTES = 5 * 1024 * 1024
"""Of a part of a multipart upload to S3, except the last."""
FILE_HEAD = -1
"""The number of the part before the strips."""


class Slice(NamedTuple):
    """Bytes ``start`` to before ``end`` of the strip ``part``, or of the head."""

    part: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """A file: ``head``, then the strips in order, each of so many bytes."""

    head: bytes
    strip_bytes: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Of the file."""
        return len(self.head) + sum(self.strip_bytes)

    def plan_parts(self, least_bytes: int = MIN_PART_BYTES) -> list[list[Slice]]:
        """Return the file as parts of an upload of at least ``least_bytes`` each, except the last.

        A part of one slice of a strip is copied where that strip lies. The others are small: the head, with as much of
        the next strips as it needs to be large enough, or a small strip with the same.
        """
        runs: list[list[Slice]] = []
        for part, size in enumerate((len(self.head), *self.strip_bytes), FILE_HEAD):
            lacking = max(0, least_bytes - sum(one.end - one.start for one in runs[-1])) if runs else 0
            taken = min(size, lacking)
            if 0 < size - taken < least_bytes and runs and lacking:
                taken = size  # what would be left is too small to stand alone
            if taken:
                runs[-1].append(Slice(part, 0, taken))
            if taken < size:
                runs.append([Slice(part, taken, size)])
        return runs


def assemble(plan: PyramidPlan, strips: Sequence[TileIndex], top: TopLevels, limits: Limits) -> Assembly:
    """Plan the file of ``strips``, in order, and their ``top`` levels.

    Raises ValueError where they are not of one image, and OverLimits where the file would be over the limit of large
    images.
    """
    _require_matching(plan, strips, top)
    at = len(file_header(BIG))
    blank = _build_directories(plan, strips, top, at, 0)
    tiles_at = blank[-1].end
    directories = _build_directories(plan, strips, top, at, tiles_at)
    front = b"".join([file_header(BIG), *(one.to_bytes() for one in directories), top.body])
    binding = Assembly(front, tuple(strip.size_bytes for strip in strips))
    if binding.size_bytes > limits.max_scene_bytes:
        raise OverLimits(
            f"The pyramid of the source has {binding.size_bytes:,} bytes; the limit is {limits.max_scene_bytes:,}"
        )
    return binding


def _require_matching(plan: PyramidPlan, strips: Sequence[TileIndex], top: TopLevels) -> None:
    layout = plan.layout
    wanted = [
        tuple(layout.tiles(layout.part(number, level)) for level in range(layout.first_top_level))
        for number in range(layout.strips)
    ]
    if [tuple(map(len, strip.lengths)) for strip in strips] != wanted:
        raise ValueError("the strips are not those of the image")
    if {strip.encoding_checksum for strip in strips} != {top.index.encoding_checksum}:
        raise ValueError("the strips are not encoded alike")


def _build_directories(
    plan: PyramidPlan, strips: Sequence[TileIndex], top: TopLevels, at: int, top_at: int
) -> list[Directory]:
    """Build those of all levels, in full first, from ``at`` on; tiles begin at ``top_at``."""
    levels = [*_locate_strip_levels(plan, strips, top_at + len(top.body)), *_locate_top_levels(top, top_at)]
    values = [_values(top.values, size, *level) for size, level in zip(plan.layout.sizes, levels, strict=True)]
    for level in values[1:]:
        level[Tag.SUBFILE] = Value.longs([REDUCED])
    values[0][Tag.SUB_DIRECTORIES] = Value.offsets([0] * (len(values) - 1), BIG)
    lengths = [Directory(level, BIG).end for level in values]
    starts = list(accumulate(lengths[:-1], initial=at))
    values[0][Tag.SUB_DIRECTORIES] = Value.offsets(starts[1:], BIG)
    return [Directory(level, BIG, start) for level, start in zip(values, starts, strict=True)]


def _values(shared: Mapping[int, Value], size: Size, places: list[int], lengths: list[int]) -> dict[int, Value]:
    return {
        **shared,
        Tag.WIDTH: Value.longs([size.width]),
        Tag.HEIGHT: Value.longs([size.height]),
        Tag.TILE_OFFSETS: Value.offsets(places, BIG),
        Tag.TILE_BYTES: Value.longs(lengths),
    }


def _locate_strip_levels(plan: PyramidPlan, strips: Sequence[TileIndex], at: int) -> list[tuple[list[int], list[int]]]:
    """Return offsets and lengths of the tiles of each level, in full first; the first strip begins at ``at``."""
    levels: list[tuple[list[int], list[int]]] = [([], []) for _ in range(plan.layout.first_top_level)]
    for strip in strips:
        for level, own in zip(reversed(levels), reversed(strip.lengths), strict=True):
            level[0].extend(accumulate(own[:-1], initial=at) if own else ())
            level[1].extend(own)
            at += sum(own)
    return levels


def _locate_top_levels(top: TopLevels, at: int) -> list[tuple[list[int], list[int]]]:
    levels = []
    for own in reversed(top.index.lengths):
        levels.append((list(accumulate(own[:-1], initial=at)), list(own)))
        at += sum(own)
    return levels[::-1]


type PutStrip = Callable[[int, bytes], None]
"""Stores the body of the strip with that number."""


def iter_strips(source: Source, header: Header, plan: PyramidPlan, limits: Limits) -> Iterator[EncodedStrip]:
    """Yield all strips from the top, each once; the source is decoded once. Raises what :func:`.cut_strip` does."""
    if plan.by_region:
        for strip in range(plan.layout.strips):
            yield cut_strip(source, header, plan, strip, limits)
        return
    image = load_page(source, header, 0, limits.for_scenes)
    for strip in range(plan.layout.strips):
        part = plan.layout.part(strip, 0)
        yield encode_strip(image.crop(0, strip * plan.layout.strip_px, *part), source, plan, strip)


def write_pyramid(source: Source, header: Header, plan: PyramidPlan, put: PutStrip, limits: Limits) -> Assembly:
    """Encode the pyramid of ``source`` in one process, give its strips to ``put``, and return the assembly.

    One strip is held, and the next-level rows of all. Raises DamagedSource, OverLimits where the file would be too
    large, or what the source's stream or ``put`` raised.
    """
    indexes: list[TileIndex] = []
    rows: list[bytes] = []
    for strip, made in enumerate(iter_strips(source, header, plan, limits)):
        put(strip, made.body)
        indexes.append(made.index)
        rows.append(made.next_level)
        del made
    return assemble(plan, indexes, build_top_levels(plan, rows), limits)
