"""Events of the similar function: requests of an HTTP API (payload format 2.0).

A valid token lasts a day at most, so that none can be stored in a file of the repository: ``./darkroom events`` writes
an event that succeeds on the running stack.
"""

from __future__ import annotations

from darkroom.services.upload_requests import Grant, make_token

from . import LOCAL_KEY, Event
from .http_api import build_request

EXPIRED_S = 1_700_000_000


def events() -> dict[str, Event]:
    """Return each event by file name."""
    token = make_token(Grant("samples/", EXPIRED_S), LOCAL_KEY)
    return {
        "expired.json": event("samples/coffee.png", {"authorization": f"Bearer {token}"}),
        "no-token.json": event("samples/coffee.png", {}),
    }


def event(key: str, headers: dict[str, str]) -> Event:
    """Return a GET of images similar to ``key``."""
    return build_request(
        "GET",
        "/_similar/{key+}",
        f"/_similar/{key}",
        headers,
        rawQueryString="count=5",
        queryStringParameters={"count": "5"},
        pathParameters={"key": key},
    )
