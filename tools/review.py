"""Decide about held images that a model has flagged.

A decision is about the upload that was held at that time. Ingest carries it out and records it in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from darkroom.aws.index import Index
from darkroom.aws.record import HELD, Record
from darkroom.aws.sqs import Queue
from darkroom.errors import NotIngested
from darkroom.services.ingest.events import build_confirm_message, build_release_message

type Message = Callable[[str, str, str], dict[str, object]]

DECISIONS: Mapping[str, Message] = {"release": build_release_message, "confirm": build_confirm_message}
"""Decisions about a held image: serve it, or leave it held."""


class NotHeld(NotIngested):
    """No image is held under this key."""

    title = "No image is held under this key"


def decide(index: Index, queue: Queue, key: str, decision: str, by: str) -> Record:
    """Send ingest the ``decision`` of operator ``by`` about ``key``. Return the record before it.

    Raises NotHeld if there is nothing to decide, Unavailable.
    """
    record = index.get(key)
    if record is None or record.state != HELD:
        raise NotHeld(f"{key} is not held: " + (record.state if record else "nothing is known of it"))
    queue.send(DECISIONS[decision](key, record.held.sha256, by))
    return record


def described(record: Record) -> dict[str, Any]:
    """Return a held image as JSON: key, size in pixels, and time."""
    facts = record.held.facts
    return {
        "key": record.key,
        "since": record.updated_at,
        "width": facts.get("width"),
        "height": facts.get("height"),
        "format": facts.get("format"),
    }
