"""The steps from an event to a settled, announced state. Killed at any of them, it is done again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...aws.audit import AuditLog
from ...aws.eventbridge import EventBus
from ...aws.record import CLAIMED, HELD, REFUSED, REMOVED, Record
from ...aws.stepfunctions import StateMachine
from ...aws.telemetry import Observer
from ...errors import Busy
from ...plan.presets import Presets, load_default_presets
from ...plan.redaction import NO_FORCED_REDACTION, AlwaysRedact
from ..request_metrics import count_latency
from .announcements import was_finished, with_image_id
from .claims import Attempt, Claims, Superseded
from .client_findings import ClientFindingsReader
from .ending import Ending, IngestOutcome
from .events import EventKind, IngestEvent
from .examine import UploadExaminer
from .intake import Intake
from .moderating import Moderating
from .moderation import Moderation
from .prints import Prints
from .publish import Publisher
from .quarantine import Quarantine

__all__ = ["TOMBSTONE_S", "Ingest", "IngestOutcome"]

TOMBSTONE_S = 35 * 86_400
"""How long a deletion is remembered: longer than a message lives in the queue and its dead letters, 14 days each."""


@dataclass(frozen=True)
class Ingest:
    """The service, with its adapters. ``machine`` cuts scenes in strips; without one they are refused."""

    examiner: UploadExaminer
    publisher: Publisher
    quarantine: Quarantine
    moderation: Moderation
    brought: ClientFindingsReader
    bus: EventBus
    audit: AuditLog
    observer: Observer
    keep_gps: bool = False
    presets: Presets = field(default_factory=load_default_presets)
    always: AlwaysRedact = NO_FORCED_REDACTION
    machine: StateMachine | None = None

    def handle(self, change: IngestEvent) -> IngestOutcome:
        """Deal with ``change``. Whatever this raises, the change is to be handled again."""
        try:
            outcome = self._handle(change)
        except Superseded as reason:
            self._claims.overtaken(change.key, wrote=reason.wrote, repairs=change.repairs)
            outcome = IngestOutcome.DROPPED
        self.observer.count("Handled", outcome=outcome)
        if outcome in (IngestOutcome.READY, IngestOutcome.DUPLICATE) and change.happened_at_s:
            waited_s = max(0.0, self._claims.clock() - change.happened_at_s)
            self.observer.count("UploadToReady", waited_s * 1000, "Milliseconds")
            count_latency(self.observer, "ingest", waited_s)
        return outcome

    @property
    def _claims(self) -> Claims:
        return self.publisher.claims

    @property
    def _ending(self) -> Ending:
        return Ending(self._claims, self.bus, self.observer, self.presets, self.always)

    @property
    def _intake(self) -> Intake:
        return Intake(
            examiner=self.examiner,
            publisher=self.publisher,
            quarantine=self.quarantine,
            ending=self._ending,
            prints=Prints(self.presets, self.always, self.publisher.media),
            moderation=self.moderation,
            brought=self.brought,
            audit=self.audit,
            observer=self.observer,
            keep_gps=self.keep_gps,
            machine=self.machine,
        )

    def _handle(self, change: IngestEvent) -> IngestOutcome:
        known = self._claims.index.get(change.key)
        if change.kind is EventKind.REPAIR:
            return self._mend(change, known)
        if change.kind is EventKind.LARGE_IMAGE:
            return self._end_cutting(change, known)
        if change.kind in (EventKind.VERDICT, EventKind.RELEASE, EventKind.CONFIRM):
            return self._moderate(change, known)
        if known is not None and (known.sequencer, known.done) >= (change.sequencer, True):
            return self._look_back(change, known)
        with Attempt(self._claims, change.key, change.sequencer) as attempt:
            if change.deletes and self._is_gone(change.key):
                return self._remove(attempt, known)
            outcome = self._intake.take_in(attempt, known)
        if change.deletes and (left := self._claims.index.get(change.key)) is not None:
            self._take_down(change, left)
        return outcome

    def _is_gone(self, key: str) -> bool:
        return self.quarantine.uploads.head(key) is None

    def _look_back(self, change: IngestEvent, known: Record) -> IngestOutcome:
        """What is left to do about an event that has been dealt with, or is older than one that has."""
        if self._take_down(change, known):
            return IngestOutcome.REMOVED
        if known.sequencer == change.sequencer:
            self._ending.announce(known)
        raise Superseded

    def _end_cutting(self, change: IngestEvent, known: Record | None) -> IngestOutcome:
        if self.machine is None:
            return IngestOutcome.DROPPED
        from .cutting import Cutting  # few uploads are scenes

        return Cutting(self._intake, self.machine).end(change, known)

    def _moderate(self, change: IngestEvent, known: Record | None) -> IngestOutcome:
        if known is None:
            return IngestOutcome.DROPPED
        self._await(change, known)
        return Moderating(self._intake).carry_out(change, known)

    def _await(self, change: IngestEvent, known: Record) -> None:
        """Raise Busy while it is not known yet what becomes of an upload. What a dead worker left is done again."""
        if known.done:
            return
        left_s = known.lease_until_s - self._claims.clock()
        if left_s < 0:
            self._mend(change, known)
        raise Busy(retry_in_s=max(1.0, left_s), detail=f"{known.key} is claimed by {known.token}")

    def _take_down(self, change: IngestEvent, known: Record) -> bool:
        """Remove an earlier picture that was deleted, and stayed because what was uploaded since is not served.

        Returns whether there was one. Raises Busy while it is not known yet what becomes of the newer upload.
        """
        if known.state not in (CLAIMED, REFUSED, HELD) or not change.deletes_master(known.master):
            return False
        self._await(change, known)
        with Attempt(self._claims, known.key, known.sequencer, instead_of=known.token) as attempt:
            hold = self._ending.claimed(attempt)
            with self.observer.step("remove"):
                bare = self.publisher.taken_down(hold, known)
            self._ending.tell(with_image_id(Record(known.key, REMOVED, change.sequencer)))
            self._ending.settle(replace(bare, version_id=known.version_id), silently=known.announced)
        return True

    def _mend(self, change: IngestEvent, known: Record | None) -> IngestOutcome:
        """Do again what the index says was done last, where the master does not show it, or what was left undone."""
        if known is None or (known.done and self._claims.in_order(known)):
            return IngestOutcome.DROPPED
        done_by = known.token if known.done else ""
        with Attempt(self._claims, change.key, known.sequencer, instead_of=done_by) as attempt:
            gone = not known.done and self._is_gone(change.key)
            if gone and was_finished(known):  # its upload may have expired since
                found = Moderating(self._intake).as_found(attempt, known)
                if found is not None:
                    return found
            if known.state == REMOVED or gone:
                return self._remove(attempt, known)
            return self._intake.take_in(attempt, known)

    def _remove(self, attempt: Attempt, known: Record | None) -> IngestOutcome:
        hold = self._ending.claimed(attempt)
        with self.observer.step("remove"):
            gone = known is None or known.state == REMOVED
            self.publisher.end_waiting(hold, known)
            removed = self.publisher.remove_master(hold, purge=not gone)
        expires_at_s = int(self._claims.clock()) + TOMBSTONE_S
        record = Record(hold.key, REMOVED, hold.sequencer, hold.token, expires_at_s=expires_at_s)
        self._ending.settle(record, silently=gone and not removed)
        return IngestOutcome.REMOVED
