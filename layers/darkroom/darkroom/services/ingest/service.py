"""The steps from an event to a settled, announced state. Killed at any of them, it is done again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ...aws.bus import Bus
from ...aws.observing import Observer
from ...aws.record import CLAIMED, READY, REFUSED, REMOVED, Record
from ...aws.telemetry import log
from ...errors import Busy, DarkroomError
from ...imaging.header import Header
from ...imaging.master import make_master
from ...imaging.provenance import provenance
from ...imaging.series import Exposure
from ...plan.model import Plan
from ...plan.presets import Presets, configured
from .announce import announcement, image_id, preset_paths
from .changes import Change, Kind
from .claims import Attempt, Claims, Hold, Outranked, Superseded
from .examine import Examiner, Upload, fetch
from .publish import Publisher
from .quarantine import Quarantine

TOMBSTONE_S = 35 * 86_400
"""How long a deletion is remembered: longer than a message lives in the queue and its dead letters, 14 days each."""


class Outcome(StrEnum):
    """What became of a change. ``DROPPED``: nothing was to be done, or a newer event has done it."""

    READY = "ready"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    REMOVED = "removed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Ingest:
    """The service, with its adapters."""

    examiner: Examiner
    publisher: Publisher
    quarantine: Quarantine
    bus: Bus
    observer: Observer
    keep_gps: bool = False
    presets: Presets = field(default_factory=configured)

    def handle(self, change: Change) -> Outcome:
        """Deal with ``change``. Whatever this raises, the change is to be handled again."""
        try:
            outcome = self._handle(change)
        except Superseded as reason:
            self._claims.overtaken(change.key, wrote=reason.wrote)
            outcome = Outcome.DROPPED
        self.observer.count("Handled", outcome=outcome)
        if outcome in (Outcome.READY, Outcome.DUPLICATE) and change.happened_at_s:
            waited_s = max(0.0, self._claims.clock() - change.happened_at_s)
            self.observer.count("UploadToReady", waited_s * 1000, "Milliseconds")
        return outcome

    @property
    def _claims(self) -> Claims:
        return self.publisher.claims

    def _handle(self, change: Change) -> Outcome:
        known = self._claims.index.get(change.key)
        if change.kind is Kind.MEND:
            return self._mend(change, known)
        if known is not None and (known.sequencer, known.done) >= (change.sequencer, True):
            return self._look_back(change, known)
        with Attempt(self._claims, change.key, change.sequencer) as attempt:
            if change.deletes and self._is_gone(change.key):
                return self._remove(attempt, known)
            outcome = self._take_in(attempt, known)
        if change.deletes and (left := self._claims.index.get(change.key)) is not None:
            self._take_down(change, left)
        return outcome

    def _is_gone(self, key: str) -> bool:
        return self.quarantine.uploads.head(key) is None

    def _look_back(self, change: Change, known: Record) -> Outcome:
        """What is left to do about an event that has been dealt with, or is older than one that has."""
        if self._take_down(change, known):
            return Outcome.REMOVED
        if known.sequencer == change.sequencer:
            self._announce(known)
        raise Superseded

    def _take_down(self, change: Change, known: Record) -> bool:
        """Remove an earlier picture that was deleted, and stayed because what was uploaded since was refused.

        Returns whether there was one. Raises Busy while it is not known yet what becomes of the newer upload.
        """
        if known.state not in (CLAIMED, REFUSED) or not change.takes_down(known.master):
            return False
        if not known.done:
            left_s = known.lease_until_s - self._claims.clock()
            if left_s < 0:
                self._mend(change, known)
            raise Busy(retry_in_s=max(1.0, left_s), detail=f"{known.key} is claimed by {known.token}")
        with Attempt(self._claims, known.key, known.sequencer, instead_of=known.token) as attempt:
            hold = self._claimed(attempt)
            with self.observer.step("remove"):
                self.publisher.remove_master(hold, purge=True)
            self._tell(_identified(Record(known.key, REMOVED, change.sequencer)))
            bare = Record(known.key, REFUSED, known.sequencer, hold.token, version_id=known.version_id)
            self._settle(replace(bare, refusal=known.refusal), silently=known.announced)
        return True

    def _mend(self, change: Change, known: Record | None) -> Outcome:
        """Do again what the index says was done last, where the master does not show it, or what was left undone."""
        if known is None or (known.done and self._claims.agrees(known, self._claims.master(change.key))):
            return Outcome.DROPPED
        done_by = known.token if known.done else ""
        with Attempt(self._claims, change.key, known.sequencer, instead_of=done_by) as attempt:
            if known.state == REMOVED or (not known.done and self._is_gone(change.key)):
                return self._remove(attempt, known)
            return self._take_in(attempt, known)

    def _take_in(self, attempt: Attempt, known: Record | None) -> Outcome:
        try:
            return self._take_in_as(attempt, known)
        except Outranked as found:
            return self._take_in_as(attempt.risen(found.sequencer), known)

    def _take_in_as(self, attempt: Attempt, known: Record | None) -> Outcome:
        with self.observer.step("fetch"):
            upload = fetch(self.quarantine.uploads, attempt.key, self.examiner.limits)
        if upload is None:
            log("INFO", "the upload is gone", key=attempt.key)
            return Outcome.DROPPED
        try:
            return self._accept(attempt, known, upload)
        except DarkroomError as error:
            if error.status >= 500 or error.retryable:
                raise
            return self._refuse(attempt, upload, error)

    def _accept(self, attempt: Attempt, known: Record | None, upload: Upload) -> Outcome:
        """Raises a DarkroomError of status 4xx if the upload is not to be taken in."""
        header, data = self.examiner.header(attempt.key, upload)
        self.examiner.scan(data)  # known bytes too: they may be older than the scanner, or than what it knows by now
        watermarks = self._watermarks()
        plans = [plan for plan in self.presets.ingested(attempt.key).values() if _is_at_hand(plan, watermarks)]
        with self.observer.step("dedupe"):
            copied = self._unchanged(attempt, known, upload) or self._copied(attempt, upload, plans)
        if copied is not None:
            self._settle(copied)
            return Outcome.DUPLICATE
        exposure = self.examiner.expose(data, plans, watermarks)
        hold = self._claimed(attempt)
        with self.observer.step("clean"):
            negative = make_master(data, header, limits=self.examiner.limits)
        with self.observer.step("master"):
            master = self.publisher.put_master(hold, upload, negative)
        with self.observer.step("presets"):
            derivatives = self.publisher.put_presets(hold, master["etag"], exposure.pictures())
        facts = described(header, exposure, len(data))
        kept = provenance(data, header, keep_gps=self.keep_gps)
        self._settle(hold.ready(upload, facts=facts, provenance=kept, master=master, derivatives=tuple(derivatives)))
        return Outcome.READY

    def _watermarks(self) -> dict[str, bytes]:
        """The files of the watermarks that presets made at ingest have, by name."""
        plans = self.presets.ingested("any").values()
        keys = {
            plan.watermark.name: self.presets.watermarks.get(plan.watermark.name) for plan in plans if plan.watermark
        }
        opened = {name: self.publisher.media.open(key) for name, key in keys.items() if key}
        if missing := [name for name in keys if opened.get(name) is None]:
            log("ERROR", "watermarks are missing: presets with them are left to be made when asked for", names=missing)
        return {name: found.body.read() for name, found in opened.items() if found is not None}

    def _unchanged(self, attempt: Attempt, known: Record | None, upload: Upload) -> Record | None:
        """The record of a key whose bytes are those that it has had all along."""
        if known is None or known.state != READY or known.sha256 != upload.sha256:
            return None
        master = self._claims.master(attempt.key)
        if master is None or not self._claims.agrees(known, master):
            return None
        return self._claimed(attempt).ready(upload, **made(known), same_as=known.same_as)

    def _copied(self, attempt: Attempt, upload: Upload, plans: list[Plan]) -> Record | None:
        """The record after copying what another key has of the same bytes; None if no other has all of it."""
        donors = [record for record in self._claims.index.same_bytes(upload.sha256) if record.key != attempt.key]
        if not donors:
            return None
        donor, hold = donors[0], self._claimed(attempt)
        master = self.publisher.copy_master(hold, upload, donor)
        if master is None:
            return None
        names = self.publisher.copy_presets(hold, master["etag"], plans, donor)
        if names is None:
            return None
        copies = made(donor) | {"master": master, "derivatives": tuple(names)}
        return hold.ready(upload, **copies, same_as=donor.key)

    def _refuse(self, attempt: Attempt, upload: Upload, error: DarkroomError) -> Outcome:
        hold, trace_id = self._claimed(attempt), self.observer.trace_id()
        with self.observer.step("quarantine"):
            place = self.quarantine.keep(upload.kept, hold.sequencer, error, digest=upload.sha256, trace_id=trace_id)
        refusal = {
            "code": error.code,
            "reason": error.message,
            "trace_id": trace_id,
            "sha256": upload.sha256,
            "quarantined": place,
        }
        log("WARNING", "refused", key=hold.key, detail=error.detail, **refusal)
        earlier = self.publisher.adopted(hold, self._claims.own(hold), self.quarantine.uploads)
        self._settle(replace(earlier, state=REFUSED, version_id=upload.kept.version_id, refusal=refusal))
        self.observer.count("Refused", reason=error.code)
        return Outcome.REFUSED

    def _remove(self, attempt: Attempt, known: Record | None) -> Outcome:
        hold = self._claimed(attempt)
        with self.observer.step("remove"):
            gone = known is None or known.state == REMOVED
            removed = self.publisher.remove_master(hold, purge=not gone)
        expires_at_s = int(self._claims.clock()) + TOMBSTONE_S
        record = Record(hold.key, REMOVED, hold.sequencer, hold.token, expires_at_s=expires_at_s)
        self._settle(record, silently=gone and not removed)
        return Outcome.REMOVED

    def _claimed(self, attempt: Attempt) -> Hold:
        with self.observer.step("claim"):
            return attempt.claimed()

    def _settle(self, record: Record, *, silently: bool = False) -> None:
        """Write down the end of the work, then tell of it. Killed in between, it is told when the event comes again."""
        record = replace(
            _identified(record),
            lease_until_s=0,
            announced=silently,
            updated_at=datetime.fromtimestamp(self._claims.clock(), UTC).isoformat(timespec="milliseconds"),
        )
        with self.observer.step("index"):
            self._claims.settle(record)
        self._announce(record)

    def _announce(self, record: Record) -> None:
        if record.announced:
            return
        with self.observer.step("announce"):
            self._tell(record)
            self._claims.index.settle(replace(record, announced=True))

    def _tell(self, record: Record) -> None:
        self.bus.announce(*announcement(record, preset_paths(record.key, self.presets.at_ingest)))


def _identified(record: Record) -> Record:
    return replace(record, image_id=image_id(record.key, record.sequencer, record.version_id))


def _is_at_hand(plan: Plan, watermarks: Mapping[str, bytes]) -> bool:
    """Whether all that ``plan`` needs beside the picture is there."""
    return plan.watermark is None or plan.watermark.name in watermarks


def made(record: Record) -> dict[str, Any]:
    """What was made of the bytes of ``record``, for another record of the same bytes."""
    names = ("facts", "provenance", "master", "derivatives")
    return {name: getattr(record, name) for name in names}


def described(header: Header, exposure: Exposure, size_bytes: int) -> dict[str, Any]:
    """What the index says of a picture. Sizes in px, upright."""
    return {
        "format": header.format,
        "width": header.upright_width,
        "height": header.upright_height,
        "frames": header.frames,
        "size_bytes": size_bytes,
        "colour": header.colour,
        "bits": header.bits,
        "has_alpha": header.has_alpha,
        "gain_map": header.gain_map,
        "thumbhash": exposure.thumbhash,
        "dominant": exposure.dominant,
        "perceptual_hash": exposure.perceptual_hash,
    }
