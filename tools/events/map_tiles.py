"""Events of the map_tiles function: requests for tiles of a raster, which has to be registered."""

from __future__ import annotations

import sys

from . import LOCAL_KEY, ROOT, Event
from .function_url import build_request

sys.path.insert(0, str(ROOT / "layers" / "map_tiles"))

from map_tiles.requests import sign_target

RASTER = "bay/2000-06.tif"
TILES = f"/tiles/{RASTER}/{{z}}/{{x}}/{{y}}.png"


def events() -> dict[str, Event]:
    """Return each event by file name."""
    query = "bands=3&rescale=0,120"
    signed = sign_target(f"{TILES}?{query}", LOCAL_KEY).partition("?")[2]
    return {
        "tile.json": event(TILES.format(z=9, x=81, y=197)),
        "signed.json": event(TILES.format(z=9, x=81, y=197), signed),
        "unsigned.json": event(TILES.format(z=9, x=81, y=197), query),
        "tilejson.json": event(f"/tiles/{RASTER}/tilejson.json"),
    }


def event(path: str, query: str = "") -> Event:
    """Return a GET of ``path``, with the host and the query that the CDN adds as headers."""
    headers = {"x-viewer-host": "d111111abcdef8.cloudfront.net"} | ({"x-viewer-query": query} if query else {})
    return build_request(path, headers)
