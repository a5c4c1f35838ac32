"""Events of the textures function: requests of an HTTP API (payload format 2.0)."""

from __future__ import annotations

from local.events import LOCAL_KEY, Event
from local.events.http_api import build_request
from textures.service import BASE
from textures.urls import sign_url


def _list_requests() -> dict[str, Event]:
    """Return each event by file name."""
    signed = sign_url("samples/coffee.png", "w=256", LOCAL_KEY)
    return {"signed.json": event(signed), "unsigned.json": event(signed.partition("&s=")[0])}


def event(target: str) -> Event:
    """Return a GET of ``target``, the viewer's path and query."""
    path, _, query = target.partition("?")
    return build_request(
        "GET",
        f"ANY {BASE}/{{proxy+}}",
        f"{BASE}{path}",
        {},
        rawQueryString=query,
        queryStringParameters=dict(pair.split("=", 1) for pair in query.split("&")),
        pathParameters={"proxy": path.removeprefix("/")},
    )


EVENTS = {"textures": _list_requests}
"""Sample events by file name, by the function's folder."""
