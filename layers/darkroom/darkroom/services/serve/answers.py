"""What the transform service answers, and its one translation to HTTP.

``Rendered``: made just now. ``Stored``: in the store, either found there or too large to be carried by an answer.
``Provisional``: stands in for a picture that cannot be made yet. ``NotModified``: the viewer has it. ``Failed``: a
refusal or a fault.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import DarkroomError

MAX_BODY_BYTES = 4_500_000
"""Largest raw body of an answer: Lambda's limit is 6 MB, of which base64 takes a third."""


@dataclass(frozen=True, slots=True)
class Derivative:
    """A derivative's entity tag and the HTTP headers it is stored with, by their names."""

    etag: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture made for this request."""

    derivative: Derivative
    body: bytes
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """A derivative that is in the store. ``body`` is None where it is too large for an answer."""

    derivative: Derivative
    body: bytes | None
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provisional:
    """A picture that is not stored, so that it has no entity tag. ``headers`` are HTTP headers by their names."""

    headers: Mapping[str, str]
    body: bytes
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotModified:
    """The viewer's copy is current."""

    derivative: Derivative


@dataclass(frozen=True, slots=True)
class Failed:
    """No picture."""

    error: DarkroomError


type Answer = Rendered | Stored | Provisional | NotModified | Failed
type HttpResponse = dict[str, object]

_CACHE_CONTROL_BY_STATUS = {
    400: "public, max-age=60",
    404: "public, max-age=60",
    413: "public, max-age=60",
    415: "public, max-age=60",
    422: "public, max-age=60",
}
"""Client errors that depend on the path alone are cached briefly.

A 403 does not: the signature is no part of the cache key, so a forged one would lock out the true one. Faults are never
cached.
"""


def to_response(answer: Answer, *, method: str, viewer_url: str) -> HttpResponse:
    """The answer as a Lambda Function URL response (payload format 2.0).

    ``viewer_url`` is the path and query that the viewer asked for; a derivative too large to carry is fetched there
    again. Anything but a path of our own is not followed.
    """
    match answer:
        case Rendered(derivative, body, timings_ms):
            return _picture(_picture_headers(derivative), body, timings_ms, method)
        case Provisional(headers, body, timings_ms):
            return _picture(_lower_names(headers), body, timings_ms, method)
        case Stored(derivative, None, timings_ms) if method != "HEAD":
            location = viewer_url if viewer_url.startswith("/") and not viewer_url.startswith("//") else "/"
            redirect = {"location": location, "cache-control": "no-store", **_server_timing(timings_ms)}
            return {"statusCode": 302, "headers": redirect, "body": ""}
        case Stored(derivative, body, timings_ms):
            return _picture(_picture_headers(derivative), body or b"", timings_ms, method)
        case NotModified(derivative):
            return {"statusCode": 304, "headers": _picture_headers(derivative), "body": ""}
        case Failed(error):
            from ...http.problem import (
                problem_response,  # with json behind it: a cold start that refuses nothing does without
            )

            kept = _CACHE_CONTROL_BY_STATUS.get(error.status, "no-store")
            return problem_response(error, cache_control=kept, method=method)


def _picture(headers: dict[str, str], body: bytes, timings_ms: Mapping[str, float], method: str) -> HttpResponse:
    headers = headers | _server_timing(timings_ms)
    if method == "HEAD":
        return {"statusCode": 200, "headers": headers, "body": ""}
    # base64's own function calls this one; importing base64 takes a cold start 3 ms.
    carried = b2a_base64(body, newline=False).decode("ascii")
    return {"statusCode": 200, "headers": headers, "body": carried, "isBase64Encoded": True}


def _picture_headers(derivative: Derivative) -> dict[str, str]:
    return _lower_names(derivative.headers) | {"etag": derivative.etag}


def _lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _server_timing(timings_ms: Mapping[str, float]) -> dict[str, str]:
    if not timings_ms:
        return {}
    return {"server-timing": ", ".join(f"{stage};dur={spent:.1f}" for stage, spent in timings_ms.items())}


def etag_matches(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: weak comparison against a list, or ``*``."""
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return etag in candidates or "*" in candidates
