"""Steps that finish an upload: it is served, held or refused; its record is written, and then its event is published.

Events are described in docs/reference/events.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from darkroom.errors import DarkroomError
from darkroom.image_keys import quote_key
from darkroom.services.request_metrics import count_refusal

from ...aws.record import (
    HELD,
    READY,
    REFUSED,
    REMOVED,
    HeldUpload,
    LargeImageRef,
    MasterRef,
    Record,
    Refusal,
    with_image_id,
)
from .claims import EventAttempt, Lease
from .context import IngestContext, IngestOutcome
from .examine import Description, FetchedUpload, detect_format
from .publish import adopt_orphan, claim, remove_held_master, unpublish

if TYPE_CHECKING:
    from darkroom.client_findings import ClientFindings


def serve(context: IngestContext, record: Record, known: Record | None, findings: ClientFindings | None) -> None:
    """Finish an image that is served: delete a held master, store the client's ``findings``."""
    lease = Lease(record.key, record.sequencer, record.token)
    remove_held_master(context, lease, known)
    if findings is not None:
        context.open_client_findings().store(record.key, findings, record.master.etag)
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


def refuse(context: IngestContext, attempt: EventAttempt, upload: FetchedUpload, error: DarkroomError) -> IngestOutcome:
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
    detected = context.examiner.detect_converted_format(upload) or detect_format(upload)
    observer = context.observer
    observer.count("Refused", reason=error.code)
    observer.count("RefusedByFormat", format=detected)
    count_refusal(observer, error)
    observer.annotate("format", detected)
    observer.annotate("code", error.code)


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
    priority = record.urgent or bool(context.always.find(record.key).redact)
    paths = build_preset_paths(record.key, context.presets.at_ingest)
    explanation = context.moderation.get_explanation(record) if record.state == HELD else {}
    detail_type, detail = build_announcement(record, paths, priority=priority)
    context.bus.publish(detail_type, detail | ({"explanation": explanation} if explanation else {}))


def build_announcement(
    record: Record, presets: Mapping[str, str], *, priority: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return detail type and detail of the event of ``record``, which is done.

    ``presets``: paths of presets by name. ``priority``: the image is analysed before others, because it is urgent or
    not served before.
    """
    detail_type, build_further = _EVENTS[record.state]
    detail = {"id": record.image_id, "key": record.key, "version_id": record.version_id, "sequencer": record.sequencer}
    return detail_type, detail | build_further(record, presets, priority)


def build_preset_paths(key: str, names: Iterable[str]) -> dict[str, str]:
    """Return the URL paths of the presets ``names`` of ``key``."""
    return {name: f"/{quote_key(key)}?preset={name}" for name in names}


def _ready(record: Record, presets: Mapping[str, str], priority: bool) -> dict[str, Any]:
    return {
        "sha256": record.sha256,
        "picture": dict(record.facts),
        "provenance": dict(record.provenance),
        "master": _describe(record.master),
        "same_as": record.same_as,
        "path": f"/{quote_key(record.key)}",
        "presets": dict(presets),
        "priority": priority,
    }


def _held(record: Record, _: Mapping[str, str], __: bool) -> dict[str, Any]:
    held = record.held
    return {
        "sha256": held.sha256,
        "picture": dict(held.facts),
        "master": _describe(held.master),
        "flagged": held.flagged,
        "priority": True,
    }


def _describe(master: MasterRef) -> dict[str, Any]:
    return {"content_type": master.content_type, "size_bytes": master.size_bytes, "how": master.how}


_EVENTS: dict[str, tuple[str, Callable[[Record, Mapping[str, str], bool], dict[str, Any]]]] = {
    READY: ("ImageReady", _ready),
    REFUSED: ("ImageRefused", lambda record, *_: asdict(record.refusal)),
    REMOVED: ("ImageRemoved", lambda *_: {}),
    HELD: ("ImageHeld", _held),
}
