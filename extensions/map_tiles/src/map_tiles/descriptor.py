"""What is known about a registered raster, stored as JSON. Requests that it refuses read no raster."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from darkroom.errors import BadKey
from darkroom.image_keys import ObjectNames, check_key, encode_key

from .grid import Bounds, Tile

PREFIX = "map-tiles/"
"""In the media bucket. No other function reads or writes below it."""

RASTERS = ObjectNames(f"{PREFIX}rasters/")
DESCRIPTORS = ObjectNames(f"{PREFIX}descriptors/")
VERSION = 1


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A registered raster.

    ``etag`` and ``size_bytes`` are those of the object at registration. ``bounds`` is in metres of EPSG:3857,
    ``geographic`` in degrees (WGS 84). ``bands`` are shown by default, counted from 1; ``rescale`` has the values of
    each band of the raster that become black and white, empty for 8 bits. ``resolution`` is a pixel's size in metres of
    EPSG:3857, and ``area_km2`` the area of all pixels on the ground.
    """

    key: str
    etag: str
    size_bytes: int
    width: int
    height: int
    band_count: int
    dtype: str
    crs: str
    resolution: float
    area_km2: float
    bounds: Bounds
    geographic: Bounds
    minzoom: int
    maxzoom: int
    bands: tuple[int, ...]
    rescale: tuple[tuple[float, float], ...]
    nodata: str
    paletted: bool = False
    version: int = VERSION

    def has_tile(self, tile: Tile) -> bool:
        """Return whether the tile is in the range of zooms and meets the raster's bounds."""
        in_grid = 0 <= tile.x < 2**tile.z and 0 <= tile.y < 2**tile.z
        return self.minzoom <= tile.z <= self.maxzoom and in_grid and self.bounds.meets(tile.bounds())

    def to_json(self) -> bytes:
        """Return the document as UTF-8."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, body: bytes) -> Descriptor:
        """Parse a document of :meth:`to_json`; raises ValueError, KeyError or TypeError for another one."""
        found: dict[str, Any] = json.loads(body)
        if found["version"] != VERSION:
            raise ValueError(f"version {found['version']}")
        found |= {name: Bounds(*found[name]) for name in ("bounds", "geographic")}
        found |= {"bands": tuple(found["bands"]), "rescale": tuple((low, high) for low, high in found["rescale"])}
        return cls(**found)


def check_raster_key(key: str) -> str:
    """Return ``key`` if it may name a raster: letters, digits, ``-``, ``.``, ``_`` and ``/``. Raises BadKey.

    Function URLs behind an origin access control reject percent-encoded paths (decision 29).
    """
    if encode_key(check_key(key)) != key:
        raise BadKey("The key of a raster has letters, digits, -, ., _ and / only")
    return key
