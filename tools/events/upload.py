"""What the upload function gets: an HTTP API's requests (payload format 2.0).

A valid token lasts a day at most, so that none can be stored in a file: put one of ``python -m local token --prefix
trips/`` into the header of ``expired.json`` to get a form.
"""

from __future__ import annotations

import json

from darkroom.plan.uploads import Grant, write_token

from . import LOCAL_KEY, Event
from .http_api import build_request

EXPIRED_S = 1_700_000_000

BODY = {"key": "trips/rome.jpg", "type": "image/jpeg", "size": 81_234, "sha256": "2c26b46b68ffc68f" * 4}


def events() -> dict[str, Event]:
    """Each event by its file name."""
    token = write_token(Grant("trips/", EXPIRED_S), LOCAL_KEY)
    return {
        "expired.json": _request_form({"authorization": f"Bearer {token}"}),
        "no-token.json": _request_form({}),
    }


def _request_form(headers: dict[str, str]) -> Event:
    headers = {"content-type": "application/json", **headers}
    return build_request("POST", "/uploads", "/uploads", headers, body=json.dumps(BODY))
