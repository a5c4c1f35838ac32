"""The routes of the HTTP API: upload tokens, keys in paths, and responses in JSON."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from darkroom.errors import BadToken, DarkroomError
from darkroom.http.response import HttpResponse, guard, problem_response
from darkroom.image_keys import check_key, unquote
from darkroom.services.request_metrics import log_request

if TYPE_CHECKING:
    from darkroom.aws.telemetry import Observer


def read_bearer_token(event: Mapping[str, Any]) -> str:
    """Read the token from the header ``Authorization`` of an HTTP API event; raises BadToken."""
    scheme, _, token = event["headers"].get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise BadToken("Send the upload token in the header Authorization: Bearer <token>")
    return str(token.strip(" "))


def read_body(event: Mapping[str, Any]) -> bytes:
    """Read the body of an HTTP API event."""
    body = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode()


def parse_key(key_in_path: str) -> str:
    """Parse the key in a path; raises BadKey. An HTTP API decodes the path, except for ``%25``."""
    try:
        return check_key(unquote(key_in_path))
    except ValueError:
        return check_key(key_in_path)


def respond(observer: Observer, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Return the response of ``work``, or its error as problem details; log either."""
    result = guard(work)
    if isinstance(result, DarkroomError):
        response, error = problem_response(result), result
    else:
        response, error = result, None
    log_request(observer, int(str(response["statusCode"])), error)
    return response
