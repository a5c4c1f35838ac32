"""Requests of the edge functions and HTTP responses, as Lambda Function URLs have them (payload format 2.0).

Responses are images, JSON and problem details; requests have ``x-darkroom-*`` headers.
"""

from __future__ import annotations

import json
import traceback
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..errors import DarkroomError, MethodNotAllowed, TimedOut, Unreachable
from ..plan.canonical import parse_path
from ..plan.forced_options import is_unmarked
from ..plan.model import NO_WATERMARK
from ..services.serve.answers import (
    Answer,
    Derivative,
    Failed,
    FallbackImage,
    NotModified,
    Provisional,
    Rendered,
    Stored,
    TransformRequest,
)

if TYPE_CHECKING:
    from ..services.serve.transform import Transform

type HttpResponse = dict[str, object]

RETRY_AFTER_S = 5

CACHED_STATUSES = frozenset({400, 404, 413, 415, 422})
ERROR_MAX_AGE_S = 60
"""Client errors that depend on the path alone are cached briefly, in seconds.

A 403 does not: the signature is not part of the cache key, so a forged one would lock out the true one. Faults are
never cached.
"""

ERROR_CODE = "x-darkroom-error"
"""Header of every error with its code: browsers do not show scripts the body of an ``<img>``."""


def _error_cache_control(error: DarkroomError) -> str:
    return f"public, max-age={ERROR_MAX_AGE_S}" if error.status in CACHED_STATUSES else "no-store"


TOO_LARGE_STATUS = 416
"""Sent for a stored derivative that is too large for a response where the CDN asks the store next. It is one of the
statuses for which CloudFront fails over, and nothing else here responds with it."""


def to_response(answer: Answer, *, method: str, viewer_url: str | None) -> HttpResponse:
    """Convert an answer of the transform service.

    ``viewer_url`` is the path and query of the viewer's request; a derivative that is too large for a response is
    requested there again. Anything but a path is replaced by ``/``. None: the CDN asks the store for it next.
    """
    match answer:
        case Provisional(headers, body, timings_ms):
            return _image_response(_lower_names(headers), body, timings_ms, method)
        case Stored(_, None, timings_ms) if method != "HEAD":
            return _refer_to_store(viewer_url, timings_ms)
        case Rendered(derivative, body, timings_ms) | Stored(derivative, body, timings_ms):
            return _image_response(_derivative_headers(derivative), body or b"", timings_ms, method)
        case NotModified(derivative):
            return {"statusCode": 304, "headers": _derivative_headers(derivative), "body": ""}
        case Failed(error):
            return problem_response(error, cache_control=_error_cache_control(error), method=method)
        case FallbackImage(error, content_type, body):
            headers = {"content-type": content_type, "cache-control": _error_cache_control(error)}
            return _image_response(headers | {ERROR_CODE: error.code}, body, {}, method, error.status)


def _refer_to_store(viewer_url: str | None, timings_ms: Mapping[str, float]) -> HttpResponse:
    headers = {"cache-control": "no-store", **_server_timing(timings_ms)}
    if viewer_url is None:
        return {"statusCode": TOO_LARGE_STATUS, "headers": headers, "body": ""}
    location = viewer_url if viewer_url.startswith("/") and not viewer_url.startswith("//") else "/"
    return {"statusCode": 302, "headers": headers | {"location": location}, "body": ""}


def problem_response(error: DarkroomError, *, cache_control: str = "no-store", method: str = "GET") -> HttpResponse:
    """Convert ``error`` to problem details (RFC 9457)."""
    headers = {"content-type": "application/problem+json", "cache-control": cache_control, ERROR_CODE: error.code}
    if error.retryable:
        headers["retry-after"] = str(getattr(error, "retry_after_s", 0) or RETRY_AFTER_S)
    if error.status == 401:  # names the authentication scheme: RFC 9110, 11.6.1
        headers["www-authenticate"] = "Bearer"
    return {
        "statusCode": error.status,
        "headers": headers,
        "body": "" if method == "HEAD" else json.dumps(error.to_problem()),
    }


ERROR_PAGES = "/_/errors/"
"""Path below which CloudFront reads the body of errors that have none of ours (``CustomErrorResponses``)."""

_PAGE_CACHE_CONTROL = "public, max-age=0, s-maxage=86400"
"""The CDN keeps a page for the time when the function does not respond; browsers keep no error."""


def find_error_page(path: str) -> HttpResponse | None:
    """Return the body that CloudFront puts into a 502 or 504, None for any other path."""
    for error in (Unreachable(), TimedOut()):
        if path == f"{ERROR_PAGES}{error.status}.json":
            return problem_response(error, cache_control=_PAGE_CACHE_CONTROL) | {"statusCode": 200}
    return None


def json_response(status: int, document: Mapping[str, object]) -> HttpResponse:
    """Return ``document`` as JSON that is not cached."""
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(document)}


def guard[T](call: Callable[[], T]) -> T | DarkroomError:
    """Return the value of ``call``, or its error: a defect is a fault with its traceback, not Lambda's error page."""
    try:
        return call()
    except DarkroomError as error:
        return error
    except Exception:
        return DarkroomError(detail=traceback.format_exc())


def _image_response(
    headers: dict[str, str], body: bytes, timings_ms: Mapping[str, float], method: str, status: int = 200
) -> HttpResponse:
    headers = headers | _server_timing(timings_ms)
    if method == "HEAD":
        return {"statusCode": status, "headers": headers, "body": ""}
    # base64's own function calls this one; importing base64 takes a cold start 3 ms.
    encoded = b2a_base64(body, newline=False).decode("ascii")
    return {"statusCode": status, "headers": headers, "body": encoded, "isBase64Encoded": True}


def _derivative_headers(derivative: Derivative) -> dict[str, str]:
    return _lower_names(derivative.headers) | {"etag": derivative.etag}


def _lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _server_timing(timings_ms: Mapping[str, float]) -> dict[str, str]:
    if not timings_ms:
        return {}
    return {"server-timing": ", ".join(f"{stage};dur={spent:.1f}" for stage, spent in timings_ms.items())}


REQUEST = "x-darkroom-request"
"""Canonical request that the path was negotiated from."""

SIGNATURE, EXPIRES = "x-darkroom-signature", "x-darkroom-expires"

VIEWER_URL = "x-darkroom-url"
"""Path and query as the viewer sent them."""

STORE_IS_NEXT = "x-darkroom-first"
"""Set if the CDN asks this function first, and then the store for what is too large."""

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


type LocateLarge = Callable[[Transform, TransformRequest, str], str]
"""Returns the path of a stored derivative, by its ETag, that is too large for a response. May raise Unavailable."""


def respond(transform: Transform, request: EdgeRequest, locate: LocateLarge | None = None) -> Responded:
    """Respond to a request for a canonical path.

    Without ``locate`` the CDN finds a large derivative at the URL of the request.
    """
    if request.method not in ("GET", "HEAD"):
        return respond_error(MethodNotAllowed(), request)
    headers = request.headers
    native = TransformRequest(
        path=request.path,
        request_path=headers.get(REQUEST, ""),
        signature=headers.get(SIGNATURE, ""),
        expires=headers.get(EXPIRES, ""),
        if_none_match=headers.get("if-none-match", ""),
        url=headers.get(VIEWER_URL, ""),
    )
    answer = guard(lambda: transform.answer(native))
    if isinstance(answer, DarkroomError):
        return respond_error(answer, request)
    url = None if STORE_IS_NEXT in headers else native.url
    if locate and url is not None and isinstance(answer, Stored) and answer.body is None and request.method == "GET":
        etag = answer.derivative.etag
        found = guard(lambda: locate(transform, native, etag))
        if isinstance(found, DarkroomError):
            return respond_error(found, request)
        url = found
    response = to_response(answer, method=request.method, viewer_url=url)
    if _is_verified_here(transform, request.path):
        forbid_caching(response)
    return response, get_error(answer)


def _is_verified_here(transform: Transform, path: str) -> bool:
    """Return whether every request for the canonical ``path`` needs a signature that no other function verifies."""
    if not transform.private_prefixes and f"wm-{NO_WATERMARK}-" not in path:
        return False
    found = guard(lambda: parse_path(path))
    if isinstance(found, DarkroomError):
        return False
    return is_unmarked(found) or (transform.is_private(found.key) and not transform.edge_verifies)


def forbid_caching(response: HttpResponse) -> None:
    """Set the Cache-Control of ``response`` to an image whose signature only this function verifies."""
    cast("dict[str, str]", response["headers"])["cache-control"] = "private, no-store"


def get_error(answer: Answer) -> DarkroomError | None:
    """Return the error that ``answer`` reports, if any."""
    return answer.error if isinstance(answer, Failed | FallbackImage) else None


def respond_error(error: DarkroomError, request: EdgeRequest) -> Responded:
    """Respond with problem details."""
    return to_response(Failed(error), method=request.method, viewer_url=""), error
