"""Uploads that are too large for one worker: a state machine cuts them in strips, and its message ends the work.

While it does, the key stays claimed by the attempt that had it begun, with a lease that is longer than the machine may
take. So a newer event takes the key over as it always does, and the sweep finds what was never told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from ...aws.record import Record
from ...aws.s3 import ObjectHead
from ...aws.stepfunctions import StateMachine
from ...errors import Busy, DarkroomError, OverLimits, SceneFailed, SourceMissing, Unavailable, list_errors_by_code
from ...imaging.formats.metadata.provenance import read_provenance
from ...imaging.formats.probe import Header
from ...imaging.formats.sniff import sniff
from ...imaging.pyramid.plan import inspect_large_image
from ...imaging.render.pyramid_presets import PyramidPresets
from ...imaging.source import Source
from ..large_image.parts import PartStore
from ..master_reader import TIFF
from ..range_source import open_ranges
from .announcements import build_image_id
from .claims import PYRAMID, Attempt, Claims, Lease, StaleIndex
from .ending import IngestOutcome
from .events import IngestEvent
from .examine import FetchedUpload, check_checksums
from .intake import Intake, looks, ready, shape
from .master_store import MasterStore
from .moderation import ReviewState
from .publish import described, marked

FORMATS = frozenset({"tiff", "jpeg", "png"})
"""What libvips reads from the top without taking all of it first; TIFFs from anywhere."""

LEASE_S = 5 * 3600.0
"""Longer than TimeoutSeconds of the state machine SceneMachine."""

TRIES = 3
"""Executions for one upload, after each of which only those strips are cut that are not there."""


@dataclass(frozen=True)
class Cutting:
    """Has scenes cut by ``machine``, and publishes what came of it."""

    intake: Intake
    machine: StateMachine

    def header(self, upload: FetchedUpload, over: OverLimits) -> Header:
        """That of a scene; raises ``over`` for what is none, and else what the examiner does.

        What is over the limit of bytes no scanner is given: ClamAV lets pass what it is too large for it to look into.
        """
        limits = self.intake.examiner.limits
        unseen = upload.data is None and self.intake.examiner.scanner is not None
        if unseen or limits.max_scene_pixels <= limits.max_pixels:
            raise over
        if not upload.first_bytes or sniff(upload.first_bytes) not in FORMATS:
            raise over
        with self.intake.observer.step("limits"):
            header = inspect_large_image(self._source(upload), limits)
        with self.intake.observer.step("checksum"):
            check_checksums(upload)
        if upload.data is not None:
            self.intake.examiner.scan(upload.data)
        return header

    def begin(self, attempt: Attempt, upload: FetchedUpload, header: Header) -> IngestOutcome:
        """Have the scene ``upload`` cut."""
        hold = self.intake.ending.claimed(attempt)
        scene = {
            "id": build_image_id(hold.key, hold.sequencer, upload.head.version_id),
            "tries": 1,
            "sha256": upload.sha256,
            "version_id": upload.head.version_id,
            "facts": shape(header, upload.head.size_bytes),
            "provenance": self._provenance(upload, header),
        }
        return self._start(hold, scene)

    def end(self, change: IngestEvent, known: Record | None) -> IngestOutcome:
        """Do as ``change``, a message of the state machine, says. Raises Busy where somebody else is at it."""
        if known is None or known.done or not _may_be_of(known, change):
            if known is not None and known.done:
                self.intake.ending.announce(known)
            self._discard(change)
            return IngestOutcome.DROPPED
        if known.scene.get("id") != change.scene:  # whoever had it begun has not written that down yet
            left_s = known.lease_until_s - self._claims.clock()
            raise Busy(retry_in_s=max(1.0, left_s), detail=f"{known.key} is claimed by {known.token}")
        if known.token == known.scene["token"]:
            self._claims.index.release_lease(known.key, known.token)
        with Attempt(self._claims, known.key, known.sequencer) as attempt:
            if change.fault:
                return self._try_again(self.intake.ending.claimed(attempt), change)
            try:
                outcome = self._settled(attempt, change)
            except StaleIndex as found:
                outcome = self._settled(attempt.risen(found.sequencer), change)
        self._discard(change)
        return outcome

    def _start(self, hold: Lease, scene: Mapping[str, Any]) -> IngestOutcome:
        named = {"scene": scene["id"], "key": hold.key, "version_id": scene["version_id"]}
        with self.intake.observer.step("begin"):
            execution = self.machine.start(str(scene["id"]), named)
            until_s = int(self._claims.clock() + LEASE_S)
            begun = {**scene, "token": hold.token}
            self._claims.settle(replace(self._claims.own(hold), lease_until_s=until_s, scene=begun))
        self.intake.observer.log("INFO", "a scene is cut", key=hold.key, execution=execution)
        self.intake.observer.count("ScenesBegun")
        return IngestOutcome.CUTTING

    def _try_again(self, hold: Lease, change: IngestEvent) -> IngestOutcome:
        """Begin once more; raises SceneFailed where that has been tried often enough."""
        scene = self._claims.own(hold).scene
        if scene["tries"] >= TRIES:
            raise SceneFailed(detail=f"{change.fault}; {scene['tries']} executions of {change.scene} have failed")
        return self._start(hold, {**scene, "tries": scene["tries"] + 1})

    def _settled(self, attempt: Attempt, change: IngestEvent) -> IngestOutcome:
        hold = self.intake.ending.claimed(attempt)
        own = self._claims.own(hold)
        kept = self.intake.quarantine.uploads.head(change.key, str(own.scene["version_id"]))
        if kept is None or change.code == SourceMissing.code:  # the event of what was put in its place is on its way
            self.intake.observer.log("INFO", "the upload is gone", key=change.key)
            self._claims.index.release_lease(hold.key, hold.token)
            return IngestOutcome.DROPPED
        upload = FetchedUpload(kept, None, str(own.scene["sha256"]))
        if change.code:
            kind = list_errors_by_code().get(change.code, DarkroomError)
            return self.intake.refuse(attempt, upload, kind(change.reason))
        return self._publish(hold, own, upload, change)

    def _publish(self, hold: Lease, own: Record, upload: FetchedUpload, change: IngestEvent) -> IngestOutcome:
        """The end of a scene that is whole: as that of any picture, by copies inside S3 and a few ranges."""
        media = self.intake.publisher.media
        bound = media.head(PartStore(media, change.scene).master)
        if bound is None:
            raise Unavailable(detail=f"{change.scene} has been bound, and is not there")
        intake, publisher = self.intake, self.intake.publisher
        plans, watermarks = intake.prints.of(hold.key)
        limits = intake.examiner.limits
        proofs = PyramidPresets(open_ranges(media, bound), plans, limits=limits, watermarks=watermarks)
        with intake.observer.step("decode"):
            told = {"facts": {**own.scene["facts"], **looks(proofs)}, "provenance": dict(own.scene["provenance"])}
        standing = intake.moderation.get_review_state(hold.key, own, upload.sha256)
        if standing is not ReviewState.PASSED:
            with intake.observer.step("hold"):
                waiting = self._copied(hold, upload, bound, publisher.held)
            return intake.hold(hold, upload, waiting, told, flagged=standing is ReviewState.FLAGGED)
        pictures = intake.examiner.render(proofs)
        with intake.observer.step("master"):
            master = self._copied(hold, upload, bound, publisher.masters)
        with intake.observer.step("presets"):
            names = publisher.put_presets(hold, master["etag"], pictures)
        record = ready(hold, upload, **told, master=master, derivatives=tuple(names))
        intake.serve(record, own, intake.brought.read(upload))
        return IngestOutcome.READY

    def _copied(self, hold: Lease, upload: FetchedUpload, bound: ObjectHead, shelf: MasterStore) -> dict[str, Any]:
        """Copy what was bound onto ``shelf``; its description for the index. Raises as put_master does."""
        publisher = self.intake.publisher
        marks = marked(hold, upload, PYRAMID)

        def write(_: ObjectHead | None) -> str:
            etag = shelf.vault.copy(
                publisher.media,
                bound.key,
                shelf.name(hold.key),
                headers={"Content-Type": TIFF},
                metadata=marks,
                tiered=True,
                source_etag=bound.etag,
            )
            if etag is None:
                raise Unavailable(detail=f"{bound.key} has gone")
            return etag

        if shelf == publisher.masters:
            etag = publisher.replace_master(hold, write)
        else:
            etag, _ = shelf.replace(hold, write)
        return described(marks, etag, TIFF, bound.size_bytes)

    def _discard(self, change: IngestEvent) -> None:
        """Delete the parts, which are copies by now or nobody's. What this does not reach expires."""
        with self.intake.observer.step("discard"):
            PartStore(self.intake.publisher.media, change.scene).delete_all()

    def _source(self, upload: FetchedUpload) -> Source:
        if upload.data is not None:
            return Source.from_bytes(upload.data)
        return open_ranges(self.intake.quarantine.uploads, upload.head)

    def _provenance(self, upload: FetchedUpload, header: Header) -> dict[str, object]:
        """Of a PNG that is not here nothing: what it says may lie behind its pixels."""
        keep_gps = self.intake.keep_gps
        if upload.data is not None:
            return read_provenance(upload.data, header, keep_gps=keep_gps)
        if header.format == "png":
            return {}
        return read_provenance(cast(bytes, _Reach(self._source(upload))), header, keep_gps=keep_gps)

    @property
    def _claims(self) -> Claims:
        return self.intake.publisher.claims


class _Reach:
    """A file that is not here as far as those who look for metadata use one: slices of it, and its length."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __len__(self) -> int:
        return self._source.size_bytes

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(len(self))
        return self._source.read_at(start, max(0, end - start))


def _may_be_of(known: Record, change: IngestEvent) -> bool:
    """Whether ``change`` is about the event that ``known`` is claimed for."""
    return change.scene in (known.scene.get("id"), build_image_id(known.key, known.sequencer, change.version_id))
