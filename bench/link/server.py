"""S3's object operations over HTTP, path style, as far as obstore and the AWS SDKs of the contenders use them.

The first byte of every answer leaves ``latency_s`` after its request was here, and for a body that came the time that
the line would have taken; bodies leave at ``bytes_per_s``. Signatures are not checked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from email.utils import format_datetime
from html import escape
from time import monotonic as _clock
from xml.etree import ElementTree

from aiohttp import web

from .objects import Object, Shelf

CHUNK_BYTES = 65_536
KEPT_HEADERS = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language")
METADATA = "x-amz-meta-"
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
TICK_S = 0.002
"""asyncio rounds waits up to a millisecond, and the system wakes it a little later still."""

MAX_BODY_BYTES = 64 * 1024 * 1024


class Link:
    """The line to S3, and S3 at its end."""

    def __init__(self, shelf: Shelf, latency_s: float, bytes_per_s: float) -> None:
        self._shelf = shelf
        self._latency_s = latency_s
        self._bytes_per_s = bytes_per_s

    def application(self) -> web.Application:
        """The server, to be run by aiohttp."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        path = "/{bucket}/{key:.+}"
        application.router.add_get(path, self._get)
        application.router.add_put(path, self._put)
        application.router.add_delete(path, self._delete)
        application.router.add_post("/{bucket}", self._delete_several)
        return application

    async def _get(self, request: web.Request) -> web.StreamResponse:
        """GET, and HEAD, which aiohttp answers with the same headers and no body."""
        await self._due(_clock())
        found = self._shelf.find(request.match_info["key"])
        if found is None:
            return _error(404, "NoSuchKey")
        if request.headers.get("if-none-match") == found.etag:
            return web.Response(status=304, headers={"ETag": found.etag})
        if request.headers.get("if-match", found.etag) != found.etag:
            return _error(412, "PreconditionFailed")
        try:
            wanted = request.http_range
        except ValueError:
            return _error(416, "InvalidRange")
        if (wanted.start or 0) >= len(found) > 0:
            return _error(416, "InvalidRange")
        return await self._sent(request, found, wanted)

    async def _sent(self, request: web.Request, found: Object, wanted: slice) -> web.StreamResponse:
        start, stop, _ = wanted.indices(len(found))
        response = web.StreamResponse(headers=_headers(found))
        response.content_length = stop - start
        if wanted != slice(None, None, 1):
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(found)}"
        await response.prepare(request)
        with suppress(ConnectionError):  # whoever asked may have enough
            if request.method != "HEAD":
                await self._paced(response, found.cut(start, stop, CHUNK_BYTES))
            await response.write_eof()
        return response

    async def _paced(self, response: web.StreamResponse, pieces: Iterator[memoryview]) -> None:
        due_s = _clock()
        for piece in pieces:
            await response.write(piece)
            due_s += len(piece) / self._bytes_per_s
            await _until(due_s)

    async def _due(self, asked_s: float, sent_bytes: int = 0) -> None:
        """Wait for as long as the line takes for ``sent_bytes`` and back."""
        await _until(asked_s + self._latency_s + sent_bytes / self._bytes_per_s)

    async def _put(self, request: web.Request) -> web.Response:
        if "aws-chunked" in request.headers.get("content-encoding", ""):
            return _error(501, "NotImplemented")
        asked_s = _clock()
        body = await request.read()
        await self._due(asked_s, len(body))
        key = request.match_info["key"]
        if request.headers.get("if-none-match") == "*" and self._shelf.find(key) is not None:
            return _error(412, "PreconditionFailed")
        headers = {name.lower(): value for name, value in request.headers.items()}
        kept = {name: value for name, value in headers.items() if name in KEPT_HEADERS or name.startswith(METADATA)}
        return web.Response(headers={"ETag": self._shelf.put(key, body, kept).etag})

    async def _delete(self, request: web.Request) -> web.Response:
        await self._due(_clock())
        self._shelf.delete(request.match_info["key"])
        return web.Response(status=204)

    async def _delete_several(self, request: web.Request) -> web.Response:
        """DeleteObjects, which obstore uses for a single one too."""
        if "delete" not in request.query:
            return _error(501, "NotImplemented")
        asked_s = _clock()
        body = await request.text()
        await self._due(asked_s)
        keys = [key.text or "" for key in ElementTree.fromstring(body).iterfind(f".//{NAMESPACE}Key")]
        for key in keys:
            self._shelf.delete(key)
        deleted = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        return web.Response(text=f"<DeleteResult>{deleted}</DeleteResult>", content_type="application/xml")


async def _until(due_s: float) -> None:
    """Wait until the clock says ``due_s``; asyncio alone would be late by half a millisecond on average."""
    if (early_s := due_s - _clock() - TICK_S) > 0:
        await asyncio.sleep(early_s)
    while _clock() < due_s:
        await asyncio.sleep(0)


def _headers(found: Object) -> dict[str, str]:
    modified = format_datetime(found.modified, usegmt=True)
    return {"ETag": found.etag, "Last-Modified": modified, "Accept-Ranges": "bytes", **found.headers}


def _error(status: int, code: str) -> web.Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    return web.Response(status=status, text=body, content_type="application/xml")
