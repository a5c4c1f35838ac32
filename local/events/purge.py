"""Events of the purge function: messages of the purge queue."""

from __future__ import annotations

from darkroom_pipeline.services.purge.messages import FIRST, SECOND, purge_message

from . import Event
from .sqs import batch

QUEUE = "darkroom-purges"


def events() -> dict[str, Event]:
    """Return each event by file name."""
    photo = "samples/coffee.png"
    return {
        "first-pass.json": batch(QUEUE, purge_message(photo, FIRST)),
        "second-pass.json": batch(QUEUE, purge_message(photo, SECOND)),
        "two-keys.json": batch(QUEUE, purge_message(photo, SECOND), purge_message("no/such/photo.jpg", SECOND)),
        "unreadable.json": batch(QUEUE, {"photo": photo}),
    }
