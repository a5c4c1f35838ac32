"""The CDN's rim towards viewers: HTTP in, HTTP out."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable

from aiohttp import web
from multidict import CIMultiDict

from .access_log import LogRecord
from .edge import Edge
from .messages import Request, Response

MAX_LINE_BYTES = 64 * 1024
"""Longer than CloudFront allows, so that the edge itself refuses what is too long."""


def viewer_request(request: web.BaseRequest) -> Request:
    """An aiohttp request as the edge sees it: path and query just as they were sent."""
    path, mark, query = request.raw_path.partition("?")
    if not path.startswith("/"):  # the form that proxies are asked in; within a path an address is the path's own
        path = "/" + path.partition("://")[2].partition("/")[2]
    headers = CIMultiDict(request.headers)
    headers["CloudFront-Forwarded-Proto"] = request.scheme  # the CDN's own word; policies say who hears it
    return Request(
        request.method,
        path,
        query if mark else None,
        headers,
        request.remote or "127.0.0.1",
        b64encode(secrets.token_bytes(42), b"-_").decode(),
    )


def viewer_response(method: str, answer: Response) -> web.Response:
    """The edge's answer as an aiohttp response. An answer to HEAD keeps the length that its body would have."""
    headers = CIMultiDict(answer.headers)
    if method == "HEAD" and answer.body:
        headers["Content-Length"] = str(len(answer.body))
    response = web.Response(status=answer.status, headers=headers, body=b"" if method == "HEAD" else answer.body)
    if "Content-Type" not in headers:
        response.headers.popall("Content-Type", None)
    return response


async def serve(edge: Edge, request: web.BaseRequest, note: Callable[[LogRecord], None]) -> web.Response:
    """Answer one viewer; ``note`` is told of it."""
    asked, begun_s = viewer_request(request), edge.clock()
    answer = await edge.answer(asked)
    ended_s = edge.clock()
    note(LogRecord(asked, answer, edge.distribution.domain, ended_s, ended_s - begun_s))
    return viewer_response(request.method, answer)
