"""Events of the scene function: payloads of the state machine's four steps, for an upload that does not exist.

``./darkroom events`` writes the same events for one that exists.
"""

from __future__ import annotations

from . import Event

NAMED = {"scene": "0123456789abcdef0123456789abcdef", "key": "maps/no-such.tif", "version_id": ""}


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {
        "plan.json": {"action": "plan", **NAMED},
        "cut.json": {"action": "cut", **NAMED, "strip": 0},
        "bind.json": {"action": "bind", **NAMED},
        "tell.json": {"action": "tell", **NAMED, "stopped": {"Error": "States.Timeout", "Cause": ""}},  # terms: allow
        "no-such-action.json": {"action": "paint", **NAMED},
    }
