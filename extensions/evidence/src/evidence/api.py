"""Requests of the HTTP API for reports, and their responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from darkroom.errors import BadOption, BadToken, MethodNotAllowed
from darkroom.http.response import HttpResponse, json_response
from darkroom_pipeline.http.api import parse_key, read_bearer_token, read_body

from .page import HEADERS, format_report, format_sign_in

if TYPE_CHECKING:
    from .service import EvidenceService

FORMAT = "evidence"
MAX_BODY_BYTES = 4_096
"""Of the form with a token."""


def respond_to_request(service: Callable[[], EvidenceService], event: Mapping[str, Any]) -> HttpResponse:
    """Respond to an HTTP API event (payload format 2.0) of ``ANY /_evidence/{key+}``. Raises DarkroomError.

    A GET with a bearer token returns JSON, or a page if it accepts HTML. One without a token that accepts HTML returns
    the page that takes one, which sends it by POST.
    """
    method = event["requestContext"]["http"]["method"]
    key = parse_key(event["pathParameters"]["key"])
    if (event.get("queryStringParameters") or {}).get("f") != FORMAT:
        raise BadOption("The query must be f=evidence", option="f")
    accepts_html = "text/html" in event["headers"].get("accept", "")
    if method == "POST":
        return _respond(service(), key, _read_form(event), as_page=True)
    if method != "GET":
        raise MethodNotAllowed("Only GET and POST are allowed")
    if accepts_html and "authorization" not in event["headers"]:
        return _page(format_sign_in(key))
    return _respond(service(), key, read_bearer_token(event), as_page=accepts_html)


def _respond(service: EvidenceService, key: str, token: str, *, as_page: bool) -> HttpResponse:
    report = service.read(key, service.authorise(token, key))
    return _page(format_report(report)) if as_page else json_response(200, report)


def _page(body: str) -> HttpResponse:
    return {"statusCode": 200, "headers": dict(HEADERS), "body": body}


def _read_form(event: Mapping[str, Any]) -> str:
    body = read_body(event)
    if len(body) > MAX_BODY_BYTES:
        raise BadToken("The form is too large")
    found = parse_qs(body.decode("ascii", "replace"), max_num_fields=5)
    return found.get("token", [""])[0].strip()
