"""Events of the forget function: invocations by an operator."""

from __future__ import annotations

from . import Event


def events() -> dict[str, Event]:
    """Return each event by file name. The key does not exist, so that nothing is erased."""
    return {"key.json": {"key": "no/such/photo.jpg"}, "no-key.json": {"photo": "no/such/photo.jpg"}}
