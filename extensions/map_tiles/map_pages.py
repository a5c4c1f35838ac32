"""The map at ``/_local/map``: tiles of registered rasters in Leaflet."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from aiohttp import web

from local import viewer
from local.errors import StartError
from local.paths import CONTROL

PAGE = f"{CONTROL}/map"
HTML = Path(__file__).parent / "map.html"


class Tiles(Protocol):
    """The rasters that are served as tiles below ``url``, the address of their CDN."""

    url: str

    def list_rasters(self) -> list[str]:
        """Return the keys of registered rasters; raises StartError where none are served."""


class MapPages:
    """Handlers of the page, of its list of rasters and of Leaflet's files."""

    def __init__(self, tiles: Tiles) -> None:
        self._tiles = tiles

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            web.get(PAGE, self.page),
            web.get(f"{PAGE}/rasters", self.rasters),
            web.get(f"{PAGE}/leaflet/{{name}}", self.leaflet),
        ]

    async def page(self, _: web.Request) -> web.StreamResponse:
        """Return the page."""
        return web.FileResponse(HTML, headers={"Cache-Control": "no-cache"})

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
        if name not in viewer.LEAFLET_FILES:
            raise web.HTTPNotFound
        try:
            return web.FileResponse(await viewer.ensure_leaflet(name), headers={"Cache-Control": "no-cache"})
        except StartError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))
