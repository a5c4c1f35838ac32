"""Events of the sweep function: an EventBridge schedule, whose content it does not read."""

from __future__ import annotations

from . import Event
from .sqs import ACCOUNT, REGION


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {
        "hourly.json": {
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": "2026-11-25T12:00:00Z",
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/darkroom-sweep"],
            "detail": {},
        }
    }
