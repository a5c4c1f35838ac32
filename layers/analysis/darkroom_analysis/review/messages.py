"""Requests and responses of the review app, and their form as events of an HTTP API (payload format 2.0)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from darkroom_pipeline.http.api import read_body

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request below the path of the app.

    ``path`` is the rest of it, without a leading slash. Header names are in lower case. ``site`` is the origin that the
    app is served from, such as ``https://images.example.com``.
    """

    method: str
    path: str
    site: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A response. ``cookies`` are values of ``Set-Cookie``."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cookies: tuple[str, ...] = ()


def json_response(document: object, status: int = 200, media_type: str = JSON) -> Response:
    """Return ``document`` as JSON."""
    return Response(status, {"content-type": media_type}, json.dumps(document).encode())


def redirect(location: str, *cookies: str) -> Response:
    """Return a redirect that is followed by GET."""
    return Response(303, {"location": location}, cookies=cookies)


def parse_query(text: str) -> dict[str, str]:
    """Parse a query string; of a name that is given twice, the last value counts."""
    return dict(parse_qsl(text, keep_blank_values=True))


def parse_cookies(texts: list[str]) -> dict[str, str]:
    """Parse cookies, each ``name=value``."""
    pairs = (text.partition("=") for text in texts)
    return {name.strip(): value for name, _, value in pairs}


def from_event(event: Mapping[str, Any], base: str, site: str) -> Request:
    """Parse an event whose path starts with ``base``."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    cookies = event.get("cookies") or headers.get("cookie", "").split(";")
    return Request(
        event["requestContext"]["http"]["method"],
        event["rawPath"].removeprefix(base),
        site,
        parse_query(event.get("rawQueryString", "")),
        headers,
        parse_cookies(cookies),
        read_body(event),
    )


def to_result(response: Response) -> dict[str, object]:
    """Convert ``response`` to the result of a function."""
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "cookies": list(response.cookies),
        "body": b64encode(response.body).decode("ascii"),
        "isBase64Encoded": True,
    }
