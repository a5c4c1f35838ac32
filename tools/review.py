"""Decisions about images that a model has flagged and that are held.

A decision is about the upload that was held when it was made. Ingest carries it out, and writes it into the audit log.
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
"""What a person can say of a picture that is held: serve it, or leave it where it is."""


class NotHeld(NotIngested):
    """Nothing is held under this key."""

    title = "No picture is held under this key"


def decide(index: Index, queue: Queue, key: str, decision: str, by: str) -> Record:
    """Ask ingest to carry out ``decision`` of the person ``by`` about ``key``; the record as it was.

    Raises NotHeld if there is nothing to decide, Unavailable.
    """
    record = index.get(key)
    if record is None or record.state != HELD:
        raise NotHeld(f"{key} is not held: " + (record.state if record else "nothing is known of it"))
    queue.send(DECISIONS[decision](key, record.held.sha256, by))
    return record


def described(record: Record) -> dict[str, Any]:
    """A picture that waits, as JSON has it: its key, its size in pixels, and since when."""
    facts = record.held.facts
    return {
        "key": record.key,
        "since": record.updated_at,
        "width": facts.get("width"),
        "height": facts.get("height"),
        "format": facts.get("format"),
    }
