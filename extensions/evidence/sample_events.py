"""Sample events: requests of an HTTP API (payload format 2.0), an export, and messages of SQS about uploads."""

from __future__ import annotations

from local.event_samples import CREATED, FIRST, build_s3_event
from local.events import Event
from local.events.http_api import build_request
from local.events.ingest import BUCKET, NOON
from local.events.sqs import batch

ROUTE = "ANY /_evidence/{key+}"
KEY = "samples/coffee.jpg"
IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"
"""Without a signature, which would be valid for a minute: the function refuses it."""

QUEUE = "darkroom-evidence-custody"


def _list_requests() -> dict[str, Event]:
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


def _list_messages() -> dict[str, Event]:
    return {"created.json": batch(QUEUE, build_s3_event("Object Created", CREATED, FIRST, BUCKET, at=NOON))}


EVENTS = {"evidence": _list_requests, "custody": _list_messages}
"""Sample events by file name, by the function's folder."""
