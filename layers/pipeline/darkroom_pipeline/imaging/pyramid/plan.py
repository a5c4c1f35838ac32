"""Plan the pyramid of a large image: where its tiles are, and how they are encoded.

An image is held in full and halved until it is one tile. It is cut into strips of whole rows of tiles, so high that the
first levels have whole rows of tiles in each strip too; the levels above those are the *top levels*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyvips

from darkroom.errors import OverLimits
from darkroom.imaging.formats.encode import is_drawing
from darkroom.imaging.formats.load import get_loaded_size
from darkroom.imaging.formats.probe import Header, probe
from darkroom.imaging.formats.registry import SOURCE_FORMATS
from darkroom.imaging.source import Source
from darkroom.plan.geometry.layout import Size
from darkroom.plan.limits import Limits

from .read import is_region_readable
from .tiles import DEFLATED, LOSSY, TileOptions, load_page

TILE_PX = 512
"""See docs/decisions/0022: half the entries and requests of 256, and viewers request tiles of this size."""
STRIP_BYTES = 400_000_000
"""Most pixels of a strip, in bytes. Only its tiles are held, a sixth of that where they are JPEG."""


@dataclass(frozen=True, slots=True)
class PyramidLayout:
    """The layout of an image of ``size`` px, as stored. Levels 0 (in full) to ``depth`` lie in strips."""

    size: Size
    tile_px: int
    depth: int

    @classmethod
    def of(
        cls, size: Size, pixel_bytes: int, *, tile_px: int = TILE_PX, strip_bytes: int = STRIP_BYTES
    ) -> PyramidLayout:
        """Return the layout with the highest strips of at most ``strip_bytes``.

        A single row of tiles may have more bytes than that. Raises ValueError for an image of one tile.
        """
        if max(size) <= tile_px:
            raise ValueError("a large image has more than one tile")
        depth, row_bytes = 0, size.width * tile_px * pixel_bytes
        while (
            row_bytes << (depth + 1) <= strip_bytes and max(size) >> (depth + 1) > tile_px and min(size) >> (depth + 2)
        ):
            depth += 1
        return cls(size, tile_px, depth)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The size of each level, down to the single tile."""
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
        """The number of strips."""
        return -(-self.size.height // self.strip_px)

    @property
    def first_top_level(self) -> int:
        """The first level that is not in strips; each of them makes its rows of it."""
        return self.depth + 1

    def part(self, strip: int, level: int) -> Size:
        """Return the size of ``strip`` in a level up to the first top level; the last strip may be empty there."""
        whole, high = self.sizes[level], self.strip_px >> level
        return Size(whole.width, max(0, min(high, whole.height - strip * high)))

    def tiles(self, size: Size) -> int:
        """Return the number of tiles of an image of ``size``."""
        return -(-size.width // self.tile_px) * -(-size.height // self.tile_px)


_WINDOWS_PER_SIDE = 5
"""Rows and columns of windows by which drawings are distinguished from photographs."""


@dataclass(frozen=True, slots=True)
class PyramidPlan:
    """The plan of a pyramid. ``lossy``: its tiles are JPEG; else they are deflated.

    ``by_region``: any strip can be made alone at the cost of that strip; else they are made from the top in one pass.
    """

    layout: PyramidLayout
    lossy: bool
    by_region: bool

    @property
    def tile_options(self) -> TileOptions:
        """How its tiles are compressed. Lossless tiles are deflated at the fastest level."""
        return LOSSY if self.lossy else DEFLATED | {"level": 1}

    def to_document(self) -> dict[str, Any]:
        """Return the plan as plain values, for JSON."""
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
        """Reverse :meth:`to_document`; raises KeyError for an invalid document."""
        layout = PyramidLayout(Size(document["width"], document["height"]), document["tile_px"], document["depth"])
        return cls(layout, document["lossy"], document["by_region"])


def inspect_large_image(source: Source, limits: Limits) -> Header:
    """Return the header of a possible large image.

    Raises what :func:`.probe` does, or OverLimits for pages and animations: the limits of large images are for stills.
    """
    header = probe(source, limits.for_scenes, in_strips=True)
    if header.frames != 1:
        raise OverLimits(f"The source has {header.frames} frames or pages; a large image may have one")
    return header


def plan_pyramid(source: Source, header: Header, limits: Limits, **layout: int) -> PyramidPlan:
    """Plan the pyramid of the image in ``source``; ``layout`` are options of :meth:`PyramidLayout.of`.

    Photographs of 8 bits a channel without alpha become JPEG tiles. Raises DamagedSource, or ValueError for an image of
    one tile.
    """
    image = load_page(source, header, 0, limits.for_scenes)
    pixel_bytes = image.bands * (2 if image.format == "ushort" else 1)
    placed = PyramidLayout.of(get_loaded_size(header)[0], pixel_bytes, **layout)
    free = is_region_readable(source, header, placed.strip_px)
    lossy = image.format == "uchar" and not image.hasalpha() and not _is_drawing(source, header, image, free=free)
    return PyramidPlan(placed, lossy, free)


def _is_drawing(source: Source, header: Header, image: pyvips.Image, *, free: bool) -> bool:
    """Return whether it is a drawing. Of what can be read by region, only samples are analysed."""
    if not SOURCE_FORMATS[header.format].may_be_drawing:
        return False
    with source.decoding():
        return is_drawing(_sample_windows(image) if free and _is_tiled(image) else image)


def _is_tiled(image: pyvips.Image) -> bool:
    """Return whether libvips reads regions of it."""
    return bool(image.get_typeof("tile-width"))


def _sample_windows(image: pyvips.Image, side: int = 512) -> pyvips.Image:
    """Return windows of ``side`` px at even distances, side by side."""
    wide, high = min(side, image.width), min(side, image.height)
    spare_x, spare_y = image.width - wide, image.height - high
    steps, last = range(_WINDOWS_PER_SIDE), _WINDOWS_PER_SIDE - 1
    places = [(spare_x * across // last, spare_y * down // last) for down in steps for across in steps]
    return pyvips.Image.arrayjoin([image.crop(*place, wide, high) for place in places], across=_WINDOWS_PER_SIDE)
