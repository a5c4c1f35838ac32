"""What the report function needs before its events run in the execution environment of Lambda, and what they show."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from evidence.tokens import EvidenceGrant, make_token
from extensions import find_extension
from local.aws import Cloud
from local.events import LOCAL_KEY, read_events

PHOTO = "samples/rocket.jpg"
"""A JPEG that each start of the stack ingests."""

MEASURE = "double_compression"
"""One that is measured in a process of its own."""

HOUR_S = 3600
EVENTS = find_extension("evidence").folder / "events"


def _request_report(_: Cloud, __: Mapping[str, Any]) -> dict[str, Any]:
    grant = EvidenceGrant(PHOTO, int(time.time()) + HOUR_S, "ada@example.com")
    token = {"authorization": f"Bearer {make_token(grant, LOCAL_KEY)}"}
    event = read_events("evidence", EVENTS)["no-token.json"]
    return {"report, fresh": event | {"headers": event["headers"] | token, "pathParameters": {"key": PHOTO}}}


def _read_state(responses: Mapping[str, Any]) -> dict[str, str]:
    measures = json.loads(responses["report, fresh"]["body"])["measures"]
    return {one["measure"]: one["state"] for one in measures if one["measure"] == MEASURE}


BEFORE: Mapping[str, Callable[[Cloud, Mapping[str, Any]], dict[str, Any]]] = {"EvidenceFunction": _request_report}
"""By the logical id of the function: stores its objects and returns further events."""

EFFECTS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, str]]] = {"EvidenceFunction": _read_state}
"""By the logical id of the function: reads outcomes out of the responses, beside their statuses."""
