"""The viewers' side of the CDN: conversion from and to aiohttp."""

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
"""Longer than CloudFront allows, so that the edge rejects longer URLs itself."""


def viewer_request(request: web.BaseRequest, body: bytes = b"") -> Request:
    """Convert an aiohttp request; path and query are exactly as sent."""
    path, mark, query = request.raw_path.partition("?")
    if not path.startswith("/"):  # the absolute form of requests to proxies; a path may contain a URL too
        path = "/" + path.partition("://")[2].partition("/")[2]
    headers = CIMultiDict(request.headers)
    headers["CloudFront-Forwarded-Proto"] = request.scheme  # set by the CDN; policies decide whether it is forwarded
    return Request(
        request.method,
        path,
        query if mark else None,
        headers,
        request.remote or "127.0.0.1",
        b64encode(secrets.token_bytes(42), b"-_").decode(),
        body,
    )


def viewer_response(method: str, answer: Response) -> web.Response:
    """Convert the edge's response. A response to HEAD keeps the length that its body would have."""
    headers = CIMultiDict(answer.headers)
    if method == "HEAD" and answer.body:
        headers["Content-Length"] = str(len(answer.body))
    response = web.Response(status=answer.status, headers=headers, body=b"" if method == "HEAD" else answer.body)
    if "Content-Type" not in headers:
        response.headers.popall("Content-Type", None)
    return response


async def serve(edge: Edge, request: web.BaseRequest, note: Callable[[LogRecord], None]) -> web.Response:
    """Answer one viewer, and pass the request's log record to ``note``."""
    viewer, begun_s = viewer_request(request, await request.read()), edge.clock()
    answer = await edge.answer(viewer)
    ended_s = edge.clock()
    note(LogRecord(viewer, answer, edge.distribution.domain, ended_s, ended_s - begun_s))
    return viewer_response(request.method, answer)
