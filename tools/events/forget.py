"""What the forget function gets: what a person invokes it with."""

from __future__ import annotations

from . import Event


def events() -> dict[str, Event]:
    """Each event by its file name. The picture is one that nobody has, so that trying it out removes nothing."""
    return {"key.json": {"key": "no/such/photo.jpg"}, "no-key.json": {"photo": "no/such/photo.jpg"}}
