"""The plan of a large image's pyramid: where its tiles are, and how they are compressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyvips

from ...errors import OverLimits
from ...plan.geometry.layout import Size
from ...plan.limits import Limits
from ..formats.encode import is_drawing
from ..formats.load import get_loaded_size
from ..formats.probe import Header, probe
from ..render.output import DRAWING_FORMATS
from ..source import Source
from .read import is_region_readable
from .tiles import DEFLATED, LOSSY, TileOptions, load_page

TILE_PX = 512
"""See docs/decisions/0022: half the entries and requests of 256, and tiles that a viewer asks for are as large."""
STRIP_BYTES = 400_000_000
"""Most pixels of a strip, in bytes: all that is held of it is their tiles, a sixth of that where they are JPEG."""


@dataclass(frozen=True, slots=True)
class PyramidLayout:
    """A scene of ``size`` px, as stored. Levels 0 (in full) to ``depth`` lie in strips, the others in the crown."""

    size: Size
    tile_px: int
    depth: int

    @classmethod
    def of(
        cls, size: Size, pixel_bytes: int, *, tile_px: int = TILE_PX, strip_bytes: int = STRIP_BYTES
    ) -> PyramidLayout:
        """The layout with the highest strips of at most ``strip_bytes``; raises ValueError for a picture of one tile.

        A single row of tiles may have more bytes than that.
        """
        if max(size) <= tile_px:
            raise ValueError("a scene has more than one tile")
        depth, row_bytes = 0, size.width * tile_px * pixel_bytes
        while (
            row_bytes << (depth + 1) <= strip_bytes and max(size) >> (depth + 1) > tile_px and min(size) >> (depth + 2)
        ):
            depth += 1
        return cls(size, tile_px, depth)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The size of each level, down to the one that is a single tile."""
        found = [self.size]
        while max(found[-1]) > self.tile_px:
            found.append(Size(max(1, found[-1].width // 2), max(1, found[-1].height // 2)))
        return tuple(found)

    @property
    def strip_px(self) -> int:
        """The height of each strip but the last, in full."""
        return self.tile_px << self.depth

    @property
    def strips(self) -> int:
        """How many strips there are."""
        return -(-self.size.height // self.strip_px)

    @property
    def first_top_level(self) -> int:
        """The first level that is not in strips; each of them makes a share of it."""
        return self.depth + 1

    def part(self, strip: int, level: int) -> Size:
        """What ``strip`` holds of a level up to the crown's first; it may have no height in the last strip."""
        whole, high = self.sizes[level], self.strip_px >> level
        return Size(whole.width, max(0, min(high, whole.height - strip * high)))

    def tiles(self, size: Size) -> int:
        """How many tiles a picture of ``size`` has."""
        return -(-size.width // self.tile_px) * -(-size.height // self.tile_px)


_WINDOWS_PER_SIDE = 5
"""Rows and columns of windows by which a drawing is told from a photograph."""


@dataclass(frozen=True, slots=True)
class PyramidPlan:
    """The plan of a scene. ``lossy``: its tiles are JPEG; else they are deflated.

    ``by_region``: any strip can be made alone at the cost of that strip; else they are made from the top in one pass.
    """

    layout: PyramidLayout
    lossy: bool
    by_region: bool

    @property
    def tile_options(self) -> TileOptions:
        """How its tiles are compressed. What is lossless is deflated in haste, as large pictures are elsewhere."""
        return LOSSY if self.lossy else DEFLATED | {"level": 1}

    def to_document(self) -> dict[str, Any]:
        """This plan as plain values, for JSON."""
        width, height = self.layout.size
        return {
            "width": width,
            "height": height,
            "tile_px": self.layout.tile_px,
            "depth": self.layout.depth,
            "lossy": self.lossy,
            "by_region": self.by_region,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PyramidPlan:
        """The opposite of :meth:`document`; raises KeyError for what is none."""
        layout = PyramidLayout(Size(document["width"], document["height"]), document["tile_px"], document["depth"])
        return cls(layout, document["lossy"], document["by_region"])


def inspect_large_image(source: Source, limits: Limits) -> Header:
    """The header of what may become a scene. Raises what :func:`inspect` does, or OverLimits for pages and animations:
    the limits of scenes are for stills."""
    header = probe(source, limits.for_scenes)
    if header.frames != 1:
        raise OverLimits(f"The source has {header.frames} frames or pages; what is that large may have one")
    return header


def plan_pyramid(source: Source, header: Header, limits: Limits, **layout: int) -> PyramidPlan:
    """The plan of the scene in ``source``; ``layout`` are options of :meth:`Layout.of`.

    Photographs of 8 bits a channel without alpha become JPEG tiles. Raises Damaged, or ValueError for a picture of one
    tile.
    """
    image = load_page(source, header, 0, limits.for_scenes)
    pixel_bytes = image.bands * (2 if image.format == "ushort" else 1)
    placed = PyramidLayout.of(get_loaded_size(header)[0], pixel_bytes, **layout)
    free = is_region_readable(source, header, placed.strip_px)
    lossy = image.format == "uchar" and not image.hasalpha() and not _is_drawing(source, header, image, free=free)
    return PyramidPlan(placed, lossy, free)


def _is_drawing(source: Source, header: Header, image: pyvips.Image, *, free: bool) -> bool:
    """As of any picture; but what can be read by region is looked at here and there only."""
    if header.format not in DRAWING_FORMATS:
        return False
    with source.decoding():
        return is_drawing(_sample_windows(image) if free and _is_tiled(image) else image)


def _is_tiled(image: pyvips.Image) -> bool:
    """Whether libvips reads regions of it."""
    return bool(image.get_typeof("tile-width"))


def _sample_windows(image: pyvips.Image, side: int = 512) -> pyvips.Image:
    """Windows of ``side`` px at even distances, side by side."""
    wide, high = min(side, image.width), min(side, image.height)
    steps = range(_WINDOWS_PER_SIDE)
    places = [
        (
            (image.width - wide) * across // (_WINDOWS_PER_SIDE - 1),
            (image.height - high) * down // (_WINDOWS_PER_SIDE - 1),
        )
        for down in steps
        for across in steps
    ]
    return pyvips.Image.arrayjoin([image.crop(*place, wide, high) for place in places], across=_WINDOWS_PER_SIDE)
