"""Publish events on an EventBridge bus."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from darkroom.errors import Unavailable

from .clients import translate_errors

SOURCE = "darkroom"


class EventBus:
    """One event bus, by name or ARN, for the events of the stack named ``stack``.

    Stacks of a region share its default bus, so the detail names the ``stack``. ``trace_header`` returns the trace that
    an event belongs to, ``Root=…;Parent=…;Sampled=1``, "" if there is none; EventBridge passes it to its targets.
    """

    def __init__(self, client: Any, name: str, stack: str, trace_header: Callable[[], str] = lambda: "") -> None:
        self._client = client
        self._name = name
        self._stack = stack
        self._trace_header = trace_header

    def publish(self, detail_type: str, detail: Mapping[str, object]) -> None:
        """Publish one event; raises Unavailable if the bus did not accept it. ``detail`` has JSON values."""
        entry = {
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps({**detail, "stack": self._stack}, separators=(",", ":")),
            "EventBusName": self._name,
        }
        if header := self._trace_header():
            entry["TraceHeader"] = header
        with translate_errors(f"publish {detail_type}"):
            [accepted] = self._client.put_events(Entries=[entry])["Entries"]
        if "EventId" not in accepted:
            raise Unavailable(detail=f"publish {detail_type}: {accepted.get('ErrorCode')}")
