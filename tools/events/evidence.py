"""Events of the evidence function: requests of an HTTP API (payload format 2.0), and an export."""

from __future__ import annotations

from . import Event
from .http_api import build_request

ROUTE = "ANY /_evidence/{key+}"
KEY = "samples/coffee.jpg"
IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"
"""Without a signature, which would be valid for a minute: the function refuses it."""


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {
        "page.json": event({"accept": "text/html"}),
        "no-token.json": event({}),
        "export.json": {"export": {"key": KEY, "reason": "case 42", "identity": IDENTITY}},
    }


def event(headers: dict[str, str], key: str = KEY) -> Event:
    """Return a GET of the report of the image ``key``."""
    return build_request(
        "GET",
        ROUTE,
        f"/_evidence/{key}",
        headers,
        rawQueryString="f=evidence",
        queryStringParameters={"f": "evidence"},
        pathParameters={"key": key},
    )
