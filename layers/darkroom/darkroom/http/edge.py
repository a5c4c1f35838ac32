"""Requests from the edge functions: Lambda Function URL events with ``x-darkroom-*`` headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import DarkroomError, MethodNotAllowed
from ..services.serve.answers import Failed
from ..services.serve.transform import Transform, TransformRequest
from .response import HttpResponse, guard, to_response

REQUEST = "x-darkroom-request"
"""Canonical request that the path was negotiated from."""

SIGNATURE, EXPIRES = "x-darkroom-signature", "x-darkroom-expires"

VIEWER_URL = "x-darkroom-url"
"""Path and query as the viewer sent them."""

DIALECT = "x-darkroom-language"
"""Name of the URL dialect; not set for native URLs."""

type Responded = tuple[HttpResponse, DarkroomError | None]
"""A response, and the error that it reports, if any."""


class EdgeRequest(NamedTuple):
    """A request as an edge function sends it. Header names are in lower case."""

    path: str
    method: str
    headers: Mapping[str, str]
    request_id: str = ""
    """CloudFront's id of the request, "" if there is none."""

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> EdgeRequest:
        """Parse a Lambda Function URL event (payload format 2.0)."""
        headers = event.get("headers") or {}
        method = event["requestContext"]["http"]["method"]
        return cls(event["rawPath"], method, headers, headers.get("x-amz-cf-id", ""))

    @property
    def dialect(self) -> str:
        """Name of the URL dialect, "" for a native URL."""
        return self.headers.get(DIALECT, "")


def respond(transform: Transform, request: EdgeRequest) -> Responded:
    """Respond to a request for a canonical path."""
    if request.method not in ("GET", "HEAD"):
        return respond_error(MethodNotAllowed(), request)
    headers = request.headers
    native = TransformRequest(
        path=request.path,
        request_path=headers.get(REQUEST, ""),
        signature=headers.get(SIGNATURE, ""),
        expires=headers.get(EXPIRES, ""),
        if_none_match=headers.get("if-none-match", ""),
    )
    answer = guard(lambda: transform.answer(native))
    if isinstance(answer, DarkroomError):
        return respond_error(answer, request)
    response = to_response(answer, method=request.method, viewer_url=headers.get(VIEWER_URL, ""))
    return response, answer.error if isinstance(answer, Failed) else None


def respond_error(error: DarkroomError, request: EdgeRequest) -> Responded:
    """Respond with problem details."""
    return to_response(Failed(error), method=request.method, viewer_url=""), error
