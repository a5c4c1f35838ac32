"""How work on a key ends: its record is written down, and told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from ...aws.eventbridge import EventBus
from ...aws.record import Record
from ...aws.telemetry import Observer
from ...plan.presets import Presets
from ...plan.redaction import AlwaysRedact
from .announcements import build_announcement, build_preset_paths, with_image_id
from .claims import Attempt, Claims, Lease


class IngestOutcome(StrEnum):
    """What became of a change. ``DROPPED``: nothing was to be done, or a newer event has done it.

    ``CUTTING``: a scene is being cut in strips, and what becomes of it is told by a change of its own.
    """

    READY = "ready"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    REMOVED = "removed"
    HELD = "held"
    RELEASED = "released"
    CONFIRMED = "confirmed"
    CUTTING = "cutting"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Ending:
    """Writes records and tells of them."""

    claims: Claims
    bus: EventBus
    observer: Observer
    presets: Presets
    always: AlwaysRedact

    def claimed(self, attempt: Attempt) -> Lease:
        """The claim; raises Superseded or Busy."""
        with self.observer.step("claim"):
            return attempt.claimed()

    def settle(self, record: Record, *, silently: bool = False) -> None:
        """Write down the end of the work, then tell of it. Killed in between, it is told when the event comes again."""
        record = replace(
            with_image_id(record),
            scene={},
            lease_until_s=0,
            announced=silently,
            updated_at=datetime.fromtimestamp(self.claims.clock(), UTC).isoformat(timespec="milliseconds"),
        )
        with self.observer.step("index"):
            self.claims.settle(record)
        self.announce(record)

    def announce(self, record: Record) -> None:
        """Tell of ``record`` unless that has been done."""
        if record.announced:
            return
        with self.observer.step("announce"):
            self.tell(record)
            self.claims.index.put_record(replace(record, announced=True))

    def tell(self, record: Record) -> None:
        """Tell of ``record``, which has its id."""
        priority = bool(self.always.for_key(record.key))
        paths = build_preset_paths(record.key, self.presets.at_ingest)
        self.bus.publish(*build_announcement(record, paths, priority=priority))
