"""Events of the medical function: requests of an HTTP API."""

from __future__ import annotations

import sys

from . import LOCAL_KEY, ROOT, Event
from .http_api import build_request

sys.path.insert(0, str(ROOT / "layers" / "medical"))

from medical.access import sign_target

INSTANCE = "/dicomweb/studies/2.25.111/series/2.25.222/instances/2.25.333"
EXPIRES_S = 4_102_444_800
"""The year 2100, so that the file does not change."""


def events() -> dict[str, Event]:
    """Return each event by file name."""
    rendered = sign_target(f"{INSTANCE}/rendered?window=40,400", LOCAL_KEY, EXPIRES_S)
    return {
        "rendered.json": event(rendered),
        "unsigned.json": event(f"{INSTANCE}/rendered?window=40,400"),
    }


def event(target: str) -> Event:
    """Return a GET of ``target``, a path with its query."""
    path, _, query = target.partition("?")
    return build_request(
        "GET",
        "GET /dicomweb/{proxy+}",
        path,
        {},
        rawQueryString=query,
        queryStringParameters=dict(pair.split("=", 1) for pair in query.split("&")),
        pathParameters={"proxy": path.removeprefix("/dicomweb/")},
    )
