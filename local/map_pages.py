"""The map at ``/_local/map``: tiles of registered rasters in Leaflet."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web

from . import viewer
from .errors import StartError
from .paths import CONTROL, ROOT

PAGE = f"{CONTROL}/map"
HTML = ROOT / "local" / "console" / "map.html"


class Tiles(Protocol):
    """The function that renders tiles, and the rasters that it knows."""

    def list_rasters(self) -> list[str]:
        """Return the keys of registered rasters."""

    def respond(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Respond to a Function URL event (payload format 2.0); raises StartError without a function."""


class MapPages:
    """Handlers of the page, of Leaflet's files and of tiles."""

    def __init__(self, tiles: Tiles) -> None:
        self._tiles = tiles

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        return [
            web.get(PAGE, self.page),
            web.get(f"{PAGE}/rasters", self.rasters),
            web.get(f"{PAGE}/leaflet/{{name}}", self.leaflet),
            web.get(f"{PAGE}/tiles/{{path:.*}}", self.tile),
        ]

    async def page(self, _: web.Request) -> web.StreamResponse:
        """Return the page."""
        return web.FileResponse(HTML, headers={"Cache-Control": "no-cache"})

    async def rasters(self, _: web.Request) -> web.StreamResponse:
        """Return the keys of registered rasters."""
        return web.json_response(await asyncio.to_thread(self._tiles.list_rasters))

    async def leaflet(self, request: web.Request) -> web.StreamResponse:
        """Return a file of Leaflet, or 503 with the reason why it is not available."""
        name = request.match_info["name"]
        if name not in viewer.LEAFLET_FILES:
            raise web.HTTPNotFound
        try:
            return web.FileResponse(await viewer.ensure_leaflet(name), headers={"Cache-Control": "no-cache"})
        except StartError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))

    async def tile(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on to the function, as the CDN does on AWS."""
        event = {
            "rawPath": f"/tiles/{request.match_info['path']}",
            "rawQueryString": request.rel_url.raw_query_string,
            "headers": {},
            "requestContext": {"http": {"method": request.method}},
        }
        try:
            found = await asyncio.to_thread(self._tiles.respond, event)
        except StartError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))
        body = b64decode(found["body"]) if found.get("isBase64Encoded") else str(found.get("body", "")).encode()
        return web.Response(status=int(found["statusCode"]), headers=found.get("headers") or {}, body=body)
