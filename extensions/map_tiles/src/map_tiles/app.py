"""Respond to HTTP requests for tiles and TileJSON."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from darkroom.errors import DarkroomError, MethodNotAllowed, SourceMissing
from darkroom.http.response import HttpResponse, guard, problem_response
from darkroom.signing import KeySource

from .rasters import RasterStore
from .render import render_tile
from .requests import FORMATS, Style, TileJsonRequest, TileRequest, build_template, parse_request
from .tilejson import build_tilejson

TILE_CACHING = "public, max-age=3600, s-maxage=2592000"
DOCUMENT_CACHING = "public, max-age=300"
ERROR_CACHING = "public, max-age=60"
VIEWER_HOST = "x-viewer-host"
"""Header with the host that the viewer has used, which the CDN sets."""
VIEWER_QUERY = "x-viewer-query"
"""Header with the viewer's query as written, which the CDN sets: it could not sign each query as Lambda does."""


class MapTiles:
    """Tiles of the rasters in ``store``. ``keys`` sign queries; ``public_url`` precedes paths in TileJSON.

    Without a ``public_url`` the address is that of the header :data:`VIEWER_HOST`.
    """

    def __init__(
        self,
        store: RasterStore,
        keys: KeySource[tuple[str, ...]],
        public_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._keys, self._public_url, self._clock = store, keys, public_url, clock

    def respond(self, event: Mapping[str, Any]) -> tuple[HttpResponse, DarkroomError | None]:
        """Respond to a Function URL event (payload format 2.0); return the error that the response reports, too."""
        method = event["requestContext"]["http"]["method"]
        found = guard(lambda: self._answer(event, method))
        if isinstance(found, DarkroomError):
            caching = ERROR_CACHING if found.status in (400, 404, 413, 415, 422) else "no-store"
            return problem_response(found, cache_control=caching, method=method), found
        if method == "HEAD":
            found = {**found, "body": "", "isBase64Encoded": False}
        return found, None

    def _answer(self, event: Mapping[str, Any], method: str) -> HttpResponse:
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        headers = event.get("headers") or {}
        request = parse_request(event["rawPath"], headers.get(VIEWER_QUERY, ""), self._keys, self._clock())
        if isinstance(request, TileRequest):
            return self._tile(request)
        return self._document(request, headers)

    def _tile(self, request: TileRequest) -> HttpResponse:
        raster = self._store.describe(request.key)
        if not raster.has_tile(request.tile):
            raise SourceMissing(f"The raster has tiles of zooms {raster.minzoom} to {raster.maxzoom} within its bounds")
        request.style.check(raster)
        with self._store.open(raster) as dataset:
            encoded = render_tile(dataset, raster, request.tile, request.style, request.format)
        headers = {"content-type": FORMATS[request.format], "cache-control": self._limit(TILE_CACHING, request.style)}
        body = b64encode(encoded).decode("ascii")
        return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}

    def _document(self, request: TileJsonRequest, headers: Mapping[str, str]) -> HttpResponse:
        raster = self._store.describe(request.key)
        request.style.check(raster)
        host = headers.get(VIEWER_HOST, "")
        start = self._public_url or (f"https://{host}" if host else "")
        template = start + build_template(request.key, "webp", request.query, self._keys)
        caching = self._limit(DOCUMENT_CACHING, request.style)
        return {
            "statusCode": 200,
            "headers": {"content-type": "application/json", "cache-control": caching},
            "body": json.dumps(build_tilejson(raster, template)),
        }

    def _limit(self, caching: str, style: Style) -> str:
        """Return ``caching``, but not beyond the expiry of the signature."""
        if not style.expires_s:
            return caching
        return f"public, max-age={max(0, min(300, style.expires_s - int(self._clock())))}"
