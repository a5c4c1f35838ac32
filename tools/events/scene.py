"""What the scene function gets: the payloads of the state machine's four steps, on an upload that is not there.

``./darkroom events`` writes the same of an upload that is there.
"""

from __future__ import annotations

from . import Event

NAMED = {"scene": "0123456789abcdef0123456789abcdef", "key": "maps/no-such.tif", "version_id": ""}


def events() -> dict[str, Event]:
    """Each event by its file name."""
    return {
        "plan.json": {"action": "plan", **NAMED},
        "cut.json": {"action": "cut", **NAMED, "strip": 0},
        "bind.json": {"action": "bind", **NAMED},
        "tell.json": {"action": "tell", **NAMED, "stopped": {"Error": "States.Timeout", "Cause": ""}},
        "no-such-action.json": {"action": "paint", **NAMED},
    }
