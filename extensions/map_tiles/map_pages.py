"""The map at ``/_local/map``: tiles of registered rasters in Leaflet."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from aiohttp import web

from local import viewer
from local.errors import StartError
from local.paths import CONTROL, ROOT

PAGE = f"{CONTROL}/map"
HERE = Path(__file__).parent
FILES = ("map.js", "map.css")
INSTALLED = ROOT / ".local" / "map-viewer"
"""Leaflet, shared by every stack of this checkout."""

LEAFLET = INSTALLED / "node_modules" / "leaflet" / "dist"
LEAFLET_FILES = ("leaflet.js", "leaflet.css")


class Tiles(Protocol):
    """The rasters that are served as tiles below ``url``, the address of their CDN."""

    url: str

    def list_rasters(self) -> list[str]:
        """Return the keys of registered rasters; raises StartError where none are served."""


class MapPages:
    """Handlers of the page, of its files, of its list of rasters and of Leaflet's files."""

    def __init__(self, tiles: Tiles) -> None:
        self._tiles = tiles

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            web.get(PAGE, self.page),
            web.get(f"{PAGE}/rasters", self.rasters),
            web.get(f"{PAGE}/leaflet/{{name}}", self.leaflet),
            web.get(f"{PAGE}/{{name}}", self.file),
        ]

    async def page(self, _: web.Request) -> web.StreamResponse:
        """Return the page."""
        return web.FileResponse(HERE / "map.html", headers={"Cache-Control": "no-cache"})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Return the script or the style of the page."""
        name = request.match_info["name"]
        if name not in FILES:
            raise web.HTTPNotFound
        return web.FileResponse(HERE / name, headers={"Cache-Control": "no-cache"})

    async def rasters(self, _: web.Request) -> web.StreamResponse:
        """Return the keys of registered rasters and the address of their tiles, or 503 with the reason why not."""
        try:
            keys = await asyncio.to_thread(self._tiles.list_rasters)
        except StartError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))
        return web.json_response({"keys": keys, "url": self._tiles.url})

    async def leaflet(self, request: web.Request) -> web.StreamResponse:
        """Return a file of Leaflet, or 503 with the reason why it is not available."""
        name = request.match_info["name"]
        if name not in LEAFLET_FILES:
            raise web.HTTPNotFound
        try:
            file = await viewer.ensure_file(LEAFLET / name, HERE / "viewer", INSTALLED)
            return web.FileResponse(file, headers={"Cache-Control": "no-cache"})
        except StartError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))
