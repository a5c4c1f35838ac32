"""Uploads that are too large for one worker: a state machine cuts them into strips, its message completes them.

Meanwhile the key stays claimed by the attempt that started the machine, with a lease that outlasts it. A newer event
takes the key over as always, and the sweep finds a key whose message was lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from darkroom.errors import DarkroomError, OverLimits, SceneFailed, SourceMissing, Unavailable, list_errors_by_code
from darkroom.imaging.formats.metadata.provenance import read_provenance
from darkroom.imaging.formats.probe import Header, sniff
from darkroom.imaging.source import RangedBytes, Source
from darkroom.services.master_reader import TIFF

from ...aws.record import LargeImageRef, MasterRef, Record, build_image_id
from ...aws.s3 import ObjectHead
from ...imaging.pyramid.plan import inspect_large_image
from ...imaging.pyramid_presets import PyramidPresets
from ..large_image.parts import PartStore
from ..range_source import open_ranges
from .claims import PYRAMID, EventAttempt, Lease, StaleIndex
from .context import IngestContext, IngestOutcome
from .events import IngestEvent
from .examine import Description, FetchedUpload, check_checksums, describe_header, describe_pixels
from .finish import announce, hold, refuse, serve
from .moderation import ReviewState
from .publish import build_upload_metadata, choose_presets, claim, put_ready_image, replace_master
from .stores import StoredMaster, describe_master

FORMATS = frozenset({"tiff", "jpeg", "png"})
"""Formats that libvips reads from the top without all bytes; TIFFs from anywhere."""

LEASE_S = 5 * 3600.0
"""Longer than TimeoutSeconds of the state machine SceneMachine."""

TRIES = 3
"""Executions per upload. Each one cuts only the strips that do not exist."""


def read_header(context: IngestContext, upload: FetchedUpload, over: OverLimits) -> Header:
    """Read the header of a large image; raises ``over`` for anything else, or what the examiner raises.

    An upload above the limit of bytes is refused if there is a scanner: ClamAV passes what is too large for it.
    """
    examiner = context.examiner
    limits = examiner.limits
    unscanned = upload.data is None and examiner.scanner is not None
    if context.open_state_machine is None or unscanned or limits.max_scene_pixels <= limits.max_pixels:
        raise over
    if not upload.first_bytes or examiner.detect_converted_format(upload) or sniff(upload.first_bytes) not in FORMATS:
        raise over
    with context.observer.step("limits"):
        header = inspect_large_image(_open_source(context, upload), limits)
    with context.observer.step("checksum"):
        check_checksums(upload)
    if upload.data is not None:
        examiner.scan(upload.data)
    return header


def start(context: IngestContext, attempt: EventAttempt, upload: FetchedUpload, header: Header) -> IngestOutcome:
    """Start the state machine for ``upload``."""
    lease, head = claim(context, attempt), upload.head
    image = LargeImageRef(
        id=build_image_id(lease.key, lease.sequencer, head.version_id),
        tries=1,
        sha256=upload.sha256,
        version_id=head.version_id,
        facts=describe_header(header, head.size_bytes),
        provenance=_read_provenance(context, upload, header),
    )
    return _start_execution(context, lease, image)


def complete(context: IngestContext, event: IngestEvent, known: Record | None) -> IngestOutcome:
    """Complete an upload as ``event``, a message of the state machine, reports. Raises Busy during another attempt."""
    if known is None or known.done or not _matches(known, event):
        if known is not None and known.done:
            announce(context, known)
        _delete_parts(context, event)
        return IngestOutcome.DROPPED
    image = known.large_image
    if image.id != event.large_image_id:  # the attempt that started the machine has not written that yet
        raise context.claims.build_busy(known)
    if known.token == image.token:
        context.index.release_lease(known.key, known.token)
    with EventAttempt(context.claims, known.key, known.sequencer) as attempt:
        if event.fault:
            return _retry(context, claim(context, attempt), event)
        try:
            outcome = _settle(context, attempt, event)
        except StaleIndex as found:
            outcome = _settle(context, attempt.with_newer_event(found.sequencer), event)
    _delete_parts(context, event)
    return outcome


def _start_execution(context: IngestContext, lease: Lease, image: LargeImageRef) -> IngestOutcome:
    if context.open_state_machine is None:
        raise Unavailable(detail="no state machine for large images")
    named = {"scene": image.id, "key": lease.key, "version_id": image.version_id}
    with context.observer.step("begin"):
        execution = context.open_state_machine().start(image.id, named)
        until_s = int(context.claims.clock() + LEASE_S)
        own = context.claims.get_own_record(lease)
        started = replace(image, token=lease.token)
        context.claims.settle(replace(own, lease_until_s=until_s, large_image=started))
    context.observer.log("INFO", "large image started", key=lease.key, execution=execution)
    context.observer.count("LargeImagesStarted")
    return IngestOutcome.STARTED


def _retry(context: IngestContext, lease: Lease, event: IngestEvent) -> IngestOutcome:
    """Start another execution; raises SceneFailed after :data:`TRIES`."""
    image = context.claims.get_own_record(lease).large_image
    if image.tries >= TRIES:
        raise SceneFailed(detail=f"{event.fault}; {image.tries} executions of {event.large_image_id} failed")
    return _start_execution(context, lease, replace(image, tries=image.tries + 1))


def _settle(context: IngestContext, attempt: EventAttempt, event: IngestEvent) -> IngestOutcome:
    lease = claim(context, attempt)
    own = context.claims.get_own_record(lease)
    image = own.large_image
    head = context.uploads.head(event.key, image.version_id)
    if head is None or event.code == SourceMissing.code:  # the event of its replacement is on its way
        context.observer.log("INFO", "upload missing", key=event.key)
        context.index.release_lease(lease.key, lease.token)
        return IngestOutcome.DROPPED
    upload = FetchedUpload(head, None, image.sha256)
    if event.code:
        kind = list_errors_by_code().get(event.code, DarkroomError)
        return refuse(context, attempt, upload, kind(event.reason))
    return publish(context, lease, own, upload, event.large_image_id)


def publish(
    context: IngestContext, lease: Lease, own: Record, upload: FetchedUpload, large_image_id: str
) -> IngestOutcome:
    """Publish an assembled pyramid like any other master, by copies inside S3 and a few ranges."""
    media, limits = context.media, context.examiner.limits
    pyramid = media.head(PartStore(media, large_image_id).master)
    if pyramid is None:
        raise Unavailable(detail=f"{large_image_id} was assembled and does not exist")
    plans, watermarks = choose_presets(context, lease.key)
    image = own.large_image
    rights = Description(image.facts, image.provenance).rights
    proofs = PyramidPresets(
        open_ranges(media, pyramid),
        plans,
        limits=limits,
        watermarks=watermarks,
        rights=rights,
        default_quality=context.examiner.default_quality,
    )
    with context.observer.step("decode"):
        description = Description({**image.facts, **describe_pixels(proofs)}, image.provenance)
    state = context.moderation.get_review_state(lease.key, own, upload.sha256)
    if state is not ReviewState.PASSED:
        with context.observer.step("hold"):
            held = copy_pyramid(context, lease, upload, pyramid, rights, held=True).ref
        return hold(context, lease, upload, held, description, flagged=state is ReviewState.FLAGGED)
    images = context.examiner.render(proofs)
    record = put_ready_image(
        context, lease, upload, description, images, lambda: copy_pyramid(context, lease, upload, pyramid, rights)
    )
    serve(context, record, own, context.read_client_findings(upload))
    return IngestOutcome.READY


def copy_pyramid(
    context: IngestContext, lease: Lease, upload: FetchedUpload, pyramid: ObjectHead, rights: str, *, held: bool = False
) -> StoredMaster:
    """Copy ``pyramid`` to where it is served or, if ``held``, where it waits. Raises as put_master does."""
    store = context.held_masters if held else context.masters
    metadata = build_upload_metadata(lease, upload, PYRAMID, rights)
    assembled = MasterRef(etag=pyramid.etag, content_type=TIFF, size_bytes=pyramid.size_bytes)
    write = store.copy_writer(lease, context.media, pyramid.key, assembled, metadata)
    etag, etags = (store.replace(lease, write)[0], {}) if held else replace_master(context, lease, write)
    if etag is None:
        raise Unavailable(detail=f"{pyramid.key} is gone")
    return StoredMaster(describe_master(metadata, etag, TIFF, pyramid.size_bytes), etags)


def _delete_parts(context: IngestContext, event: IngestEvent) -> None:
    """Delete the parts, which are copied by now or not needed. What this does not reach expires."""
    with context.observer.step("discard"):
        PartStore(context.media, event.large_image_id).delete_all()


def _open_source(context: IngestContext, upload: FetchedUpload) -> Source:
    if upload.data is not None:
        return Source.from_bytes(upload.data)
    return open_ranges(context.uploads, upload.head)


def _read_provenance(context: IngestContext, upload: FetchedUpload, header: Header) -> dict[str, object]:
    """Read the provenance; none of a PNG that was not fetched, whose metadata may follow its pixels."""
    if upload.data is not None:
        return read_provenance(upload.data, header, keep_gps=context.keep_gps)
    if header.format == "png":
        return {}
    remote = cast(bytes, RangedBytes(_open_source(context, upload)))
    return read_provenance(remote, header, keep_gps=context.keep_gps)


def _matches(known: Record, event: IngestEvent) -> bool:
    """Whether ``event`` is about the upload that ``known`` is claimed for."""
    return event.large_image_id in (known.large_image.id, build_image_id(known.key, known.sequencer, event.version_id))
