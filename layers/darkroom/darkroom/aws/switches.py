"""Switches read at run time: small JSON documents in the media bucket, set by the monitor or an operator.

A switch that is missing or malformed is off. One that cannot be read keeps its last known state. A switch that is on
ends at ``until_s``, so that none stays on by mistake. Nothing third-party is imported: transform reads switches too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import Unavailable

LOAD_SHEDDING = "presets-only"
"""Transform renders named presets only and serves stored derivatives; other requests get 503."""

FALLBACK = "fallback"
"""Infer uses the models within the function instead of the endpoint."""

NAMES = (LOAD_SHEDDING, FALLBACK)

FRESH_S = 15.0
"""Time after which a switch is read again."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch: who set it (``by``), why (``reason``) and when (``at``, ISO 8601).

    ``until_s`` is the Unix time at which it is off again, 0 for never.
    """

    on: bool = False
    by: str = ""
    reason: str = ""
    at: str = ""
    until_s: float = 0.0

    def is_on_at(self, now_s: float) -> bool:
        """Whether the switch is on at this time."""
        return self.on and (not self.until_s or now_s < self.until_s)

    def to_document(self) -> dict[str, Any]:
        """Return the switch in JSON values."""
        return {"on": self.on, "by": self.by, "reason": self.reason, "at": self.at, "until_s": int(self.until_s)}


def switch_key(name: str) -> str:
    """Return the object key of the switch ``name``."""
    return f"switches/{name}.json"


def parse_switch(document: bytes | None) -> Switch:
    """Parse a switch; off if there is no document or it is malformed."""
    import json

    try:
        found = json.loads(document or b"{}")
        return Switch(
            found.get("on") is True,
            str(found.get("by", "")),
            str(found.get("reason", "")),
            str(found.get("at", "")),
            float(found.get("until_s", 0)),
        )
    except (ValueError, TypeError, AttributeError):
        return Switch()


type ReadObject = Callable[[str], bytes | None]
"""Reads an object by its key; None if it is missing. May raise Unavailable."""


@dataclass
class Switches:
    """Switches as cached by one process: each is read again after ``fresh_s``."""

    read: ReadObject
    fresh_s: float = FRESH_S
    clock: Callable[[], float] = time.time
    _known: dict[str, tuple[float, Switch]] = field(default_factory=dict)

    def is_on(self, name: str) -> bool:
        """Whether the switch ``name`` is on. Raises nothing."""
        now_s = self.clock()
        read_s, known = self._known.get(name, (float("-inf"), Switch()))
        if not 0 <= now_s - read_s < self.fresh_s:
            known = self._reread(name, known)
            self._known[name] = (now_s, known)
        return known.is_on_at(now_s)

    def _reread(self, name: str, known: Switch) -> Switch:
        try:
            return parse_switch(self.read(switch_key(name)))
        except Unavailable:
            return known
