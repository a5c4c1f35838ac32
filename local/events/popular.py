"""Events of the popular function: a schedule's event, whose time it reads, or a number of hours."""

from __future__ import annotations

from . import Event
from .sqs import ACCOUNT, REGION


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {
        "hourly.json": {
            "version": "0",
            "id": "8f3b9a52-3a70-4a66-9f0a-d0c2a2f0b7b1",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": "2026-11-25T12:00:00Z",
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/darkroom-popular"],
            "detail": {},
        },
        "day.json": {"hours": 24},
        "too-long.json": {"hours": 1000},
    }
