"""How work on a key ends: its record is written, then its event is published."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime

from ...aws.record import HELD, REFUSED, HeldUpload, LargeImageRef, MasterRef, Record, Refusal
from ...client_findings import ClientFindings
from ...errors import DarkroomError
from ..request_metrics import count_refusal
from .announcements import build_announcement, build_preset_paths, with_image_id
from .claims import Attempt, Lease
from .context import IngestContext, IngestOutcome
from .examine import Description, FetchedUpload, detect_format
from .publish import adopt_orphan, remove_held_master, unpublish


def claim(context: IngestContext, attempt: Attempt) -> Lease:
    """Claim the key of ``attempt``; raises Superseded or Busy."""
    with context.observer.step("claim"):
        return attempt.acquire()


def finish(context: IngestContext, record: Record, *, silent: bool = False) -> None:
    """Write ``record``, then publish its event. A worker that is killed in between leaves the event to the next one.

    ``silent``: the event is not published.
    """
    now = datetime.fromtimestamp(context.claims.clock(), UTC)
    record = replace(
        with_image_id(record),
        large_image=LargeImageRef(),
        lease_until_s=0,
        announced=silent,
        updated_at=now.isoformat(timespec="milliseconds"),
    )
    with context.observer.step("index"):
        context.claims.settle(record)
    announce(context, record)


def announce(context: IngestContext, record: Record) -> None:
    """Publish the event of ``record`` unless that is done."""
    if record.announced:
        return
    with context.observer.step("announce"):
        publish_event(context, record)
        context.claims.mark_announced(record)


def publish_event(context: IngestContext, record: Record) -> None:
    """Publish the event of ``record``, which has its id."""
    priority = bool(context.always.for_key(record.key))
    paths = build_preset_paths(record.key, context.presets.at_ingest)
    context.bus.publish(*build_announcement(record, paths, priority=priority))


def serve(context: IngestContext, record: Record, known: Record | None, findings: ClientFindings | None) -> None:
    """Finish an image that is served: delete a held master, store the client's ``findings``."""
    lease = Lease(record.key, record.sequencer, record.token)
    remove_held_master(context, lease, known)
    context.client_findings.store(record.key, findings, record.master.etag)
    finish(context, record)


def hold(
    context: IngestContext,
    lease: Lease,
    upload: FetchedUpload,
    master: MasterRef,
    description: Description,
    *,
    flagged: bool,
) -> IngestOutcome:
    """Finish an upload that waits for moderation as ``master``. An earlier image stays served unless it is flagged."""
    with context.observer.step("hold"):
        earlier = adopt_orphan(context, lease, context.claims.get_own_record(lease))
        if flagged and earlier.master and earlier.sha256 == upload.sha256:
            earlier = unpublish(context, lease, earlier)
    held = HeldUpload(upload.sha256, description.facts, description.provenance, master, flagged)
    finish(context, replace(earlier, state=HELD, version_id=upload.head.version_id, held=held, refusal=Refusal()))
    return IngestOutcome.HELD


def refuse(context: IngestContext, attempt: Attempt, upload: FetchedUpload, error: DarkroomError) -> IngestOutcome:
    """Finish an upload that is refused: a copy in quarantine, and the reason."""
    lease, trace_id = claim(context, attempt), context.observer.trace_id()
    with context.observer.step("quarantine"):
        copy = context.quarantine.store(upload.head, lease.sequencer, error, digest=upload.sha256, trace_id=trace_id)
    refusal = Refusal(error.code, error.message, trace_id, upload.sha256, copy)
    context.observer.log("WARNING", "upload refused", key=lease.key, detail=error.detail, **asdict(refusal))
    own = context.claims.get_own_record(lease)
    remove_held_master(context, lease, own)
    earlier = adopt_orphan(context, lease, own)
    version_id = upload.head.version_id
    finish(context, replace(earlier, state=REFUSED, version_id=version_id, refusal=refusal, held=HeldUpload()))
    _report_refusal(context, upload, error)
    return IngestOutcome.REFUSED


def _report_refusal(context: IngestContext, upload: FetchedUpload, error: DarkroomError) -> None:
    """Publish metrics and annotations of a refusal."""
    detected, observer = detect_format(upload), context.observer
    observer.count("Refused", reason=error.code)
    observer.count("RefusedByFormat", format=detected)
    count_refusal(observer, error)
    observer.annotate("format", detected)
    observer.annotate("code", error.code)
