"""One upload, looked at from its first byte to its last: it is served, has to wait, or is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ...aws.audit import AuditLog
from ...aws.record import HELD, READY, REFUSED, Record
from ...aws.stepfunctions import StateMachine
from ...aws.telemetry import Observer
from ...client_findings import ClientFindings
from ...errors import DarkroomError, OverLimits
from ...imaging.formats.metadata.provenance import read_provenance
from ...imaging.formats.probe import Header
from ...imaging.preview.summary import ImageSummary
from ...imaging.render.render_many import BatchRender
from ...plan.model import Plan
from ..deadline import Deadline
from ..request_metrics import count_refusal
from .claims import Attempt, Lease, StaleIndex
from .client_findings import ClientFindingsReader
from .ending import Ending, IngestOutcome
from .examine import FetchedUpload, UploadExaminer, detect_format, fetch_upload
from .moderation import Moderation, ReviewState
from .prints import Prints
from .publish import Publisher
from .quarantine import Quarantine

_DONORS = 4
"""Keys with the same bytes that are asked whether they may be copied from: where none has a verdict, one look costs
less than to ask a hundred."""


@dataclass(frozen=True)
class Intake:
    """The steps from an upload to its end, with their adapters."""

    examiner: UploadExaminer
    publisher: Publisher
    quarantine: Quarantine
    ending: Ending
    prints: Prints
    moderation: Moderation
    brought: ClientFindingsReader
    audit: AuditLog
    observer: Observer
    keep_gps: bool
    machine: StateMachine | None = None

    def take_in(self, attempt: Attempt, known: Record | None) -> IngestOutcome:
        """Deal with what is uploaded under the key of ``attempt`` now; ``known`` is the record of the key before."""
        try:
            return self._take_in(attempt, known)
        except StaleIndex as found:
            return self._take_in(attempt.risen(found.sequencer), known)

    def _take_in(self, attempt: Attempt, known: Record | None) -> IngestOutcome:
        with self.observer.step("fetch"):
            upload = fetch_upload(self.quarantine.uploads, attempt.key, self.examiner.limits)
        if upload is None:
            self.observer.log("INFO", "the upload is gone", key=attempt.key)
            return IngestOutcome.DROPPED
        try:
            return self._accept(attempt, known, upload)
        except DarkroomError as error:
            if error.status >= 500 or error.retryable:
                raise
            return self.refuse(attempt, upload, error)

    def _accept(self, attempt: Attempt, known: Record | None, upload: FetchedUpload) -> IngestOutcome:
        """Raises a DarkroomError of status 4xx if the upload is not to be taken in."""
        try:
            header, data = self.examiner.read_header(attempt.key, upload)
        except OverLimits as over:
            return self._accept_scene(attempt, known, upload, over)
        self.observer.annotate("format", header.format)
        self.examiner.scan(data)  # known bytes too: they may be older than the scanner, or than what it knows by now
        standing = self.moderation.get_review_state(attempt.key, known, upload.sha256)
        brought = self.brought.read(upload)
        plans, watermarks = self.prints.of(attempt.key)
        if self._is_duplicate(attempt, known, upload, standing, brought, plans):
            return IngestOutcome.DUPLICATE
        deadline = Deadline(self.examiner.cpu_limit)
        exposure = self.examiner.decode(data, plans, watermarks, deadline)
        hold = self.ending.claimed(attempt)
        negative = self.examiner.make_master(data, header, deadline)
        told = self._told(header, exposure, data)
        if standing is not ReviewState.PASSED:
            with self.observer.step("hold"):
                waiting = self.publisher.put_held(hold, upload, negative)
            return self.hold(hold, upload, waiting, told, flagged=standing is ReviewState.FLAGGED)
        pictures = self.examiner.render(exposure, deadline)  # an upload that fails here is refused, and not published
        with self.observer.step("master"):
            master = self.publisher.put_master(hold, upload, negative)
        with self.observer.step("presets"):
            derivatives = self.publisher.put_presets(hold, master["etag"], pictures)
        made = told | {"master": master, "derivatives": tuple(derivatives)}
        self.serve(ready(hold, upload, **made), known, brought)
        return IngestOutcome.READY

    def _accept_scene(
        self, attempt: Attempt, known: Record | None, upload: FetchedUpload, over: OverLimits
    ) -> IngestOutcome:
        """Have ``upload`` cut, which is ``over`` what is taken in at once; raises ``over`` where it is no scene."""
        from .cutting import Cutting  # few uploads are scenes

        if self.machine is None:
            raise over
        cutting = Cutting(self, self.machine)
        header = cutting.header(upload, over)
        standing = self.moderation.get_review_state(attempt.key, known, upload.sha256)
        plans, _ = self.prints.of(attempt.key)
        if self._is_duplicate(attempt, known, upload, standing, self.brought.read(upload), plans):
            return IngestOutcome.DUPLICATE
        return cutting.begin(attempt, upload, header)

    def _is_duplicate(
        self,
        attempt: Attempt,
        known: Record | None,
        upload: FetchedUpload,
        standing: ReviewState,
        brought: ClientFindings | None,
        plans: list[Plan],
    ) -> bool:
        """Whether ``upload`` has been served without being looked at: its bytes are known."""
        with self.observer.step("dedupe"):
            copied = self._known(attempt, known, upload, standing, plans)
        if copied is None:
            return False
        self.serve(copied, known, brought)
        return True

    def _told(self, header: Header, exposure: BatchRender, data: bytes) -> dict[str, Any]:
        """What the index says of a picture and of its origin."""
        kept = read_provenance(data, header, keep_gps=self.keep_gps)
        return {"facts": described(header, exposure, len(data)), "provenance": kept}

    def serve(self, record: Record, known: Record | None, brought: ClientFindings | None) -> None:
        """The end of what is served: nothing of the key waits any more, and what came with the upload is kept."""
        self.publisher.end_waiting(Lease(record.key, record.sequencer, record.token), known)
        self.brought.store(record.key, brought, str(record.master["etag"]))
        self.ending.settle(record)

    def hold(
        self, hold: Lease, upload: FetchedUpload, master: Mapping[str, Any], told: Mapping[str, Any], *, flagged: bool
    ) -> IngestOutcome:
        """The end of what waits as ``master``. An earlier picture stays, but not if it is the one that is flagged."""
        with self.observer.step("hold"):
            earlier = self.publisher.adopted(hold, self.publisher.claims.own(hold), self.quarantine.uploads)
            if flagged and earlier.master and earlier.sha256 == upload.sha256:
                earlier = self.publisher.taken_down(hold, earlier)
        held = {**told, "sha256": upload.sha256, "master": dict(master), "flagged": flagged}
        self.ending.settle(replace(earlier, state=HELD, version_id=upload.head.version_id, held=held, refusal={}))
        return IngestOutcome.HELD

    def _known(
        self, attempt: Attempt, known: Record | None, upload: FetchedUpload, standing: ReviewState, plans: list[Plan]
    ) -> Record | None:
        """The record of bytes that are served already, under this key or by a copy of another one's."""
        unchanged = self._unchanged(attempt, known, upload) if standing is ReviewState.PASSED else None
        return unchanged or self._copied(attempt, upload, standing, plans)

    def _unchanged(self, attempt: Attempt, known: Record | None, upload: FetchedUpload) -> Record | None:
        """The record of a key whose bytes are those that it has had all along."""
        if known is None or known.state != READY or known.sha256 != upload.sha256:
            return None
        claims = self.publisher.claims
        master = claims.master(attempt.key)
        if master is None or not claims.agrees(known, master):
            return None
        return ready(self.ending.claimed(attempt), upload, **made(known), same_as=known.same_as)

    def _copied(
        self, attempt: Attempt, upload: FetchedUpload, standing: ReviewState, plans: list[Plan]
    ) -> Record | None:
        """The record after copying what another key has of the same bytes; None if no other has all of it."""
        same = self.publisher.claims.index.find_by_sha256(upload.sha256)
        donor = self._donor((record for record in same if record.key != attempt.key), standing)
        if donor is None:
            return None
        hold = self.ending.claimed(attempt)
        master = self.publisher.copy_master(hold, upload, donor)
        if master is None:
            return None
        names = self.publisher.copy_presets(hold, master["etag"], plans, donor)
        if names is None:
            return None
        copies = made(donor) | {"master": master, "derivatives": tuple(names)}
        return ready(hold, upload, **copies, same_as=donor.key)

    def _donor(self, donors: Iterable[Record], standing: ReviewState) -> Record | None:
        return next((donor for donor in islice(donors, _DONORS) if self.moderation.allows_copy(donor, standing)), None)

    def refuse(self, attempt: Attempt, upload: FetchedUpload, error: DarkroomError) -> IngestOutcome:
        """The end of what is not taken in: a copy in quarantine, and the reason."""
        hold, trace_id = self.ending.claimed(attempt), self.observer.trace_id()
        with self.observer.step("quarantine"):
            place = self.quarantine.store(upload.head, hold.sequencer, error, digest=upload.sha256, trace_id=trace_id)
        refusal = {
            "code": error.code,
            "reason": error.message,
            "trace_id": trace_id,
            "sha256": upload.sha256,
            "quarantined": place,
        }
        self.observer.log("WARNING", "refused", key=hold.key, detail=error.detail, **refusal)
        own = self.publisher.claims.own(hold)
        self.publisher.end_waiting(hold, own)
        earlier = self.publisher.adopted(hold, own, self.quarantine.uploads)
        version_id = upload.head.version_id
        self.ending.settle(replace(earlier, state=REFUSED, version_id=version_id, refusal=refusal, held={}))
        self._tell(upload, error)
        return IngestOutcome.REFUSED

    def _tell(self, upload: FetchedUpload, error: DarkroomError) -> None:
        """Of a refusal, what can be counted and searched for."""
        sniffed = detect_format(upload)
        self.observer.count("Refused", reason=error.code)
        self.observer.count("RefusedByFormat", format=sniffed)
        count_refusal(self.observer, error)
        self.observer.annotate("format", sniffed)
        self.observer.annotate("code", error.code)


def ready(hold: Lease, upload: FetchedUpload, **further: Any) -> Record:
    """The record of ``upload`` when it is served."""
    return hold.ready(upload.sha256, upload.head.version_id, **further)


def made(record: Record) -> dict[str, Any]:
    """What was made of the bytes of ``record``, for another record of the same bytes."""
    names = ("facts", "provenance", "master", "derivatives", "released")
    return {name: getattr(record, name) for name in names}


def described(header: Header, exposure: BatchRender, size_bytes: int) -> dict[str, Any]:
    """What the index says of a picture."""
    return {**shape(header, size_bytes), **looks(exposure)}


def looks(picture: ImageSummary) -> dict[str, Any]:
    """The part of it that needs pixels."""
    return {
        "thumbhash": picture.thumbhash,
        "dominant": picture.dominant,
        "perceptual_hash": picture.perceptual_hash,
    }


def shape(header: Header, size_bytes: int) -> dict[str, Any]:
    """The part of it that the header has. Sizes in px, upright."""
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
    }
