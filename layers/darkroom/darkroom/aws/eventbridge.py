"""Announcements on an EventBridge bus."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import Unavailable
from .clients import translate_errors

SOURCE = "darkroom"


class EventBus:
    """One event bus, by name or ARN, for the announcements of the stack named ``stack``.

    Stacks of a region share its default bus: ``stack`` in the detail is what a rule tells them apart by.
    ``trace_header`` tells the trace that an announcement belongs to, ``Root=…;Parent=…;Sampled=1``, "" if none:
    EventBridge passes it on to its targets.
    """

    def __init__(self, client: Any, name: str, stack: str, trace_header: Callable[[], str] = lambda: "") -> None:
        self._client = client
        self._name = name
        self._stack = stack
        self._trace_header = trace_header

    def publish(self, detail_type: str, detail: Mapping[str, object]) -> None:
        """Put one event on the bus; raises Unavailable if it was not taken. ``detail`` must be JSON values."""
        entry = {
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps({**detail, "stack": self._stack}, separators=(",", ":")),
            "EventBusName": self._name,
        }
        if header := self._trace_header():
            entry["TraceHeader"] = header
        with translate_errors(f"announce {detail_type}"):
            [taken] = self._client.put_events(Entries=[entry])["Entries"]
        if "EventId" not in taken:
            raise Unavailable(detail=f"announce {detail_type}: {taken.get('ErrorCode')}")
