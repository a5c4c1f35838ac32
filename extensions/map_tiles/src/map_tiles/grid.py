"""The grid of web maps: tiles of the square Web Mercator projection (EPSG:3857).

Source: OGC Two Dimensional Tile Matrix Set 2.0, annex D.1 (WebMercatorQuad).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

HALF_M = math.pi * 6_378_137
"""Half of the projection's side: x and y of EPSG:3857 are within ±20,037,508 m."""

TILE_PX = 256
MAX_ZOOM = 24


class Bounds(NamedTuple):
    """West, south, east and north, in the unit of a coordinate system."""

    west: float
    south: float
    east: float
    north: float

    def meets(self, other: Bounds) -> bool:
        """Return whether both have an area in common."""
        return (
            self.west < other.east and other.west < self.east and self.south < other.north and other.south < self.north
        )


class Tile(NamedTuple):
    """A tile of the grid, counted from its north-west corner."""

    z: int
    x: int
    y: int

    def bounds(self) -> Bounds:
        """Return the bounds in metres of EPSG:3857."""
        side = 2 * HALF_M / 2**self.z
        west, north = self.x * side - HALF_M, HALF_M - self.y * side
        return Bounds(west, north - side, west + side, north)


def pixel_size_m(zoom: int) -> float:
    """Return the side of a pixel at ``zoom`` in metres of the projection: 156,543 m at zoom 0."""
    return 2 * HALF_M / TILE_PX / float(2**zoom)


def list_tiles(zoom: int, bounds: Bounds) -> Iterator[Tile]:
    """Yield the tiles of ``zoom`` that meet ``bounds`` (EPSG:3857)."""
    number, side = 2**zoom, 2 * HALF_M / 2**zoom
    west, north = (int((value + HALF_M) // side) for value in (bounds.west, -bounds.north))
    east, south = (math.ceil((value + HALF_M) / side) for value in (bounds.east, -bounds.south))
    for y in range(max(0, north), min(number, south)):
        for x in range(max(0, west), min(number, east)):
            yield Tile(zoom, x, y)
