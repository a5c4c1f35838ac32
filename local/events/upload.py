"""Events of the upload function: requests of an HTTP API (payload format 2.0).

A valid token lasts a day at most, so that none can be stored in a file of the repository: ``./darkroom events`` writes
events that succeed on the running stack.
"""

from __future__ import annotations

import json

from darkroom.services.upload_requests import Grant, make_token

from . import LOCAL_KEY, Event
from .http_api import build_request

EXPIRED_S = 1_700_000_000

BODY = {"key": "trips/rome.jpg", "type": "image/jpeg", "size": 81_234, "sha256": "2c26b46b68ffc68f" * 4}


def events() -> dict[str, Event]:
    """Return each event by file name."""
    token = make_token(Grant("trips/", EXPIRED_S), LOCAL_KEY)
    return {
        "expired.json": request_form({"authorization": f"Bearer {token}"}),
        "no-token.json": request_form({}),
    }


def request_form(headers: dict[str, str], **changes: object) -> Event:
    """Return a POST for a form; ``changes`` are of its fields."""
    headers = {"content-type": "application/json", **headers}
    return build_request("POST", "/uploads", "/uploads", headers, body=json.dumps(BODY | changes))


def request_state(headers: dict[str, str], key: str) -> Event:
    """Return a GET of the state of the upload ``key``."""
    return build_request("GET", "/uploads/{key+}", f"/uploads/{key}", headers, pathParameters={"key": key})
