"""TileJSON 3.0.0: the document by which map libraries find tiles, their zooms and bounds."""

from __future__ import annotations

from .descriptor import Descriptor

VERSION = "3.0.0"


def build_tilejson(raster: Descriptor, template: str) -> dict[str, object]:
    """Return the document for tiles at ``template``, a URL with ``{z}``, ``{x}`` and ``{y}``."""
    bounds = raster.geographic
    centre = [(bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2, raster.minzoom]
    return {
        "tilejson": VERSION,
        "name": raster.key,
        "scheme": "xyz",
        "tiles": [template],
        "minzoom": raster.minzoom,
        "maxzoom": raster.maxzoom,
        "bounds": [round(value, 7) for value in bounds],
        "center": [round(value, 7) for value in centre],
    }
