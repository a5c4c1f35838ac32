"""What the routes of the HTTP API have in common: the token, the key in the path, and answers in JSON."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from ..errors import BadToken, DarkroomError
from ..plan.keys import check_key, unquote
from ..services.request_log import log_request
from ..services.serve.answers import HttpResponse
from ..services.upload_requests import Grant, verify_token
from .problem import problem_response

if TYPE_CHECKING:
    from ..aws.telemetry.protocol import Observer


class KeySource(Protocol):
    """Where the signing keys come from."""

    def get(self, *, refresh: bool = False) -> Sequence[str]:
        """The keys that are valid now; ``refresh`` asks for fresher ones if they are not fresh."""


def read_grant(authorization: str, keys: KeySource, now_s: float) -> Grant:
    """What the header ``Authorization`` permits; raises BadToken."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise BadToken("Send the upload token in the header Authorization: Bearer <token>")
    token = token.strip(" ")
    try:
        return verify_token(token, keys.get(), now_s)
    except BadToken:
        return verify_token(token, keys.get(refresh=True), now_s)


def parse_key(key_in_path: str) -> str:
    """The key that a path asks for; raises BadKey. An HTTP API hands a path on decoded, except for ``%25``."""
    try:
        return check_key(unquote(key_in_path))
    except ValueError:
        return check_key(key_in_path)


def json_response(status: int, document: dict[str, object]) -> HttpResponse:
    """``document`` as a Lambda response (payload format 2.0) that nobody keeps."""
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(document)}


def respond(observer: Observer, work: Callable[[], HttpResponse]) -> HttpResponse:
    """What ``work`` answers, or what it raises as a problem; either is told of."""
    try:
        response, error = work(), None
    except DarkroomError as raised:
        response, error = problem_response(raised), raised
    except Exception:  # a defect must answer as a problem too, not as Lambda's own error
        error = DarkroomError(detail=traceback.format_exc())
        response = problem_response(error)
    log_request(observer, int(str(response["statusCode"])), error)
    return response
