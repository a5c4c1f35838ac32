"""Announcements on an EventBridge bus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import Unavailable
from .clients import asking

SOURCE = "darkroom"


class Bus:
    """One event bus, by name or ARN."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def announce(self, detail_type: str, detail: Mapping[str, object]) -> None:
        """Put one event on the bus; raises Unavailable if it was not taken. ``detail`` must be JSON values."""
        entry = {
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(dict(detail), separators=(",", ":")),
            "EventBusName": self._name,
        }
        with asking(f"announce {detail_type}"):
            [taken] = self._client.put_events(Entries=[entry])["Entries"]
        if "EventId" not in taken:
            raise Unavailable(detail=f"announce {detail_type}: {taken.get('ErrorCode')}")
