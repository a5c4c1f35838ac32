"""Events of the review function: requests of an HTTP API (payload format 2.0).

A session lasts a day at most, so that none can be stored in a file of the repository.
"""

from __future__ import annotations

import json

from local.events import Event
from local.events.http_api import build_request

DECISION = {"key": "trips/rome.jpg", "decision": "release", "version": "4f1c0f6b"}


def _list_requests() -> dict[str, Event]:
    return {
        "page.json": event("GET", "app", {}),
        "no-session.json": event("POST", "api/review", {"content-type": "application/json"}, body=json.dumps(DECISION)),
    }


def event(method: str, path: str, headers: dict[str, str], **more: object) -> Event:
    """Return a request for ``path`` of the app."""
    return build_request(
        method, "ANY /_/review/{proxy+}", f"/_/review/{path}", headers, pathParameters={"proxy": path}, **more
    )


EVENTS = {"review": _list_requests}
"""Sample events by file name, by the function's folder."""
