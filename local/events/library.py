"""Events of the library function: payloads of the state machine's three steps."""

from __future__ import annotations

from . import Event

RUN = "events"
KEYS = ["samples/coffee.png", "samples/no-such.png"]
ORDER = {"operation": "presets", "prefix": "samples/"}


def events() -> dict[str, Event]:
    """Return each event by file name."""
    limits = {"concurrency": 0, "tolerated": 5.0, "batch": 25}
    return {
        "list.json": {"action": "list", "run": RUN, "order": ORDER, **limits},
        "work.json": {"action": "work", "run": RUN, "order": ORDER, "number": "000000", "keys": KEYS},
        "report.json": {"action": "report", "run": RUN, "order": ORDER},
        "no-such-operation.json": {"action": "list", "run": RUN, "order": {"operation": "sharpen"}, **limits},
    }
