"""Serve GET, HEAD and PUT of S3's objects over HTTP, path style, as far as obstore and the peers' AWS SDKs use them.

The first byte of a response is sent ``latency_s`` after the request arrived, plus the transfer time of its body; bodies
are sent at ``bytes_per_s``. Signatures are not verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from email.utils import format_datetime
from time import monotonic as _clock

from aiohttp import web

from .objects import Object, ObjectStore

CHUNK_BYTES = 65_536
STORED_HEADERS = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language")
METADATA = "x-amz-meta-"
TICK_S = 0.002
"""asyncio rounds waits up to a millisecond, and the system adds a delay."""

MAX_BODY_BYTES = 64 * 1024 * 1024


class Link:
    """S3 and the link to it."""

    def __init__(self, store: ObjectStore, latency_s: float, bytes_per_s: float) -> None:
        self._store = store
        self._latency_s = latency_s
        self._bytes_per_s = bytes_per_s

    def application(self) -> web.Application:
        """Return the server for aiohttp."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        path = "/{bucket}/{key:.+}"
        application.router.add_get(path, self._get)
        application.router.add_put(path, self._put)
        return application

    async def _get(self, request: web.Request) -> web.StreamResponse:
        """Handle GET, and HEAD, for which aiohttp sends the same headers without the body."""
        await self._wait_for_line(_clock())
        found = self._store.find(request.match_info["key"])
        if found is None:
            return _error(404, "NoSuchKey")
        if request.headers.get("if-none-match") == found.etag:
            return web.Response(status=304, headers={"ETag": found.etag})
        if request.headers.get("if-match", found.etag) != found.etag:
            return _error(412, "PreconditionFailed")
        try:
            range_ = request.http_range
        except ValueError:
            return _error(416, "InvalidRange")
        if (range_.start or 0) >= len(found) > 0:
            return _error(416, "InvalidRange")
        return await self._sent(request, found, range_)

    async def _sent(self, request: web.Request, found: Object, range_: slice) -> web.StreamResponse:
        start, stop, _ = range_.indices(len(found))
        response = web.StreamResponse(headers=_headers(found))
        response.content_length = stop - start
        if range_ != slice(None, None, 1):
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(found)}"
        await response.prepare(request)
        with suppress(ConnectionError):  # the client may close early
            if request.method != "HEAD":
                await self._paced(response, found.cut(start, stop, CHUNK_BYTES))
            await response.write_eof()
        return response

    async def _paced(self, response: web.StreamResponse, pieces: Iterator[memoryview]) -> None:
        due_s = _clock()
        for piece in pieces:
            await response.write(piece)
            due_s += len(piece) / self._bytes_per_s
            await _sleep_until(due_s)

    async def _wait_for_line(self, requested_s: float, sent_bytes: int = 0) -> None:
        """Wait for the transfer time of ``sent_bytes`` and the latency."""
        await _sleep_until(requested_s + self._latency_s + sent_bytes / self._bytes_per_s)

    async def _put(self, request: web.Request) -> web.Response:
        if "aws-chunked" in request.headers.get("content-encoding", ""):
            return _error(501, "NotImplemented")
        requested_s = _clock()
        body = await request.read()
        await self._wait_for_line(requested_s, len(body))
        key = request.match_info["key"]
        if request.headers.get("if-none-match") == "*" and self._store.find(key) is not None:
            return _error(412, "PreconditionFailed")
        headers = {name.lower(): value for name, value in request.headers.items()}
        stored_headers = {
            name: value for name, value in headers.items() if name in STORED_HEADERS or name.startswith(METADATA)
        }
        return web.Response(headers={"ETag": self._store.put(key, body, stored_headers).etag})


async def _sleep_until(due_s: float) -> None:
    """Wait until ``due_s``; asyncio alone is half a millisecond late on average."""
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
