"""Sample events: requests for tiles of a raster, and jobs on rasters, which operators invoke."""

from __future__ import annotations

from local.events import LOCAL_KEY, Event
from local.events.function_url import build_request
from map_tiles.requests import sign_target

RASTERS = ("bay/1999-07.tif", "bay/2000-06.tif")
"""Keys of rasters, which have to be in the bucket."""

RASTER = RASTERS[1]
TILES = f"/tiles/{RASTER}/{{z}}/{{x}}/{{y}}.png"


def list_requests() -> dict[str, Event]:
    """Return requests of the tiles function by file name."""
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


def _list_jobs() -> dict[str, Event]:
    before, after = RASTERS
    return {
        "register.json": {"action": "register", "key": after},
        "compare.json": {"action": "compare", "before": before, "after": after},
        "no-such-action.json": {"action": "draw"},
    }


EVENTS = {"map_tiles": list_requests, "rasters": _list_jobs}
"""Sample events by file name, by the function's folder."""
