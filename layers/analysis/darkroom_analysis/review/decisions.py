"""Record decisions about held images, one for each version of a record, and send them to ingest.

Two people can open the same image. The first decision about a version of its record wins: it is written to an item of
its own, on the condition that there is none. The item names neither the key nor the image, like the audit log.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from darkroom.errors import NonViewerError, NotIngested
from darkroom_pipeline.aws.documents import Document, DocumentStore, Value
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import HELD, Record
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.ingest.events import build_confirm_message, build_release_message, decision_name

type Message = Callable[[str, str, str, str], dict[str, object]]

DECISIONS: Mapping[str, Message] = {"release": build_release_message, "confirm": build_confirm_message}
"""Decisions about a held image: serve it, or leave it held."""

_DONE = {"release": "released", "confirm": "confirmed"}

LAPSES_S = 900.0
"""Time after which a decision that ingest has not carried out may be replaced: its message may be lost. If it is only
late, ingest drops it."""

RETENTION_S = 35 * 86_400
"""How long a decision is kept for the explanation of a conflict: as long as a tombstone."""


class NotHeld(NotIngested):
    """No image is held under this key."""

    title = "No image is held under this key"


class Conflict(NonViewerError, code="conflict", status=409, title="Another decision came first"):
    """Another person has decided about the same version. ``by``, ``decision`` and ``at_s`` (Unix time) describe it."""

    def __init__(self, message: str = "", *, by: str = "", decision: str = "", at_s: float = 0.0) -> None:
        super().__init__(message)
        self.by, self.decision, self.at_s = by, decision, at_s

    def to_problem(self) -> dict[str, object]:
        """See DarkroomError."""
        further = {"by": self.by, "decision": self.decision, "at_s": self.at_s} if self.by else {}
        return super().to_problem() | further


@dataclass(frozen=True)
class Decisions:
    """``queue`` is the review queue of ingest; ``entries`` has the items, in the index table."""

    index: Index
    entries: DocumentStore
    queue: Queue
    clock: Callable[[], float] = time.time

    def decide(self, key: str, decision: str, by: str, *, version: str = "") -> Record:
        """Send ingest the ``decision`` of ``by`` about what is held under ``key``; return the record before it.

        ``version`` is that of the record that the person has seen (its token); "" is any. The same decision of the same
        person may be repeated: the message may have been lost. Raises NotHeld, Conflict, Unavailable.
        """
        record, known = self.index.get(key), self.entries.get(decision_name(key))
        if version and (record is None or record.state != HELD or record.token != version):
            raise _describe_conflict(known, version) or self._describe_change(key, record)
        if record is None or record.state != HELD:
            raise NotHeld(f"{key} is not held: " + (record.state if record else "nothing is known of it"))
        if not self._may_replace(known, record, decision, by):
            raise _describe_conflict(known, record.token) or Conflict()
        now_s = self.clock()
        fields: dict[str, Value] = {
            "decision": decision,
            "by": by,
            "at_s": now_s,
            "seen": record.token,
            "expires_at_s": int(now_s + RETENTION_S),
        }
        if not self.entries.put(decision_name(key), fields, replaces=known.version):
            raise _describe_conflict(self.entries.get(decision_name(key)), record.token) or Conflict()
        self.queue.send(DECISIONS[decision](key, record.held.sha256, by, record.token))
        return record

    def _may_replace(self, known: Document, record: Record, decision: str, by: str) -> bool:
        fields = known.fields
        if fields.get("seen") != record.token or (fields.get("by"), fields.get("decision")) == (by, decision):
            return True
        return self.clock() - float(fields.get("at_s", 0)) > LAPSES_S

    @staticmethod
    def _describe_change(key: str, record: Record | None) -> NonViewerError:
        if record is None or record.state != HELD:
            return NotHeld(f"{key} is not held any more: " + (record.state if record else "it was removed"))
        return Conflict(f"{key} has changed since it was shown")


def _describe_conflict(known: Document, version: str) -> Conflict | None:
    """Return the conflict with the decision about that version, None if there is none."""
    fields = known.fields
    if fields.get("seen") != version:
        return None
    by, decision, at_s = str(fields["by"]), str(fields["decision"]), float(fields["at_s"])
    at = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
    return Conflict(f"{by} has {_DONE[decision]} it at {at}", by=by, decision=decision, at_s=at_s)
