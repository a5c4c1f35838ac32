"""Events of the rasters function, which operators invoke: the rasters have to be in the bucket."""

from __future__ import annotations

from . import Event


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {
        "register.json": {"action": "register", "key": "bay/2000-06.tif"},
        "compare.json": {"action": "compare", "before": "bay/1999-07.tif", "after": "bay/2000-06.tif"},
        "no-such-action.json": {"action": "draw"},
    }
