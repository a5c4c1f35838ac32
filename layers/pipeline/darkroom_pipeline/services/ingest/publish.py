"""Steps that write and remove masters and presets. The newest event always wins: its record is written last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from darkroom.errors import ObjectChanged
from darkroom.plan.model import Plan

from ...aws.record import (
    HeldUpload,
    MasterRef,
    Record,
)
from ...aws.s3 import ObjectHead
from ...imaging.master import Master
from ..manifests import MANIFEST_TYPE, manifest_name
from .claims import SEQUENCER, SHA256, VERSION_ID, EventAttempt, Lease, Superseded
from .context import IngestContext
from .examine import Description, FetchedUpload, Rendition
from .stores import StoredMaster, build_metadata, describe_master, select_presets

if TYPE_CHECKING:
    pass


def put_master(
    context: IngestContext,
    lease: Lease,
    upload: FetchedUpload,
    master: Master,
    description: Description,
    *,
    held: bool = False,
) -> StoredMaster:
    """Write the master that is served, and purge what was made from an earlier one; or, if ``held``, one that waits.

    The manifest of ``description`` is kept beside it. Raises Superseded, StaleIndex, ObjectChanged, Unavailable.
    """
    store = context.held_masters if held else context.masters
    sha256 = hashlib.sha256(master.body).hexdigest()
    metadata = build_upload_metadata(lease, upload, master.method, description.rights, sha256)
    write = store.put_writer(lease, master.body, master.content_type, metadata)
    etag, etags = (store.replace(lease, write)[0], {}) if held else replace_master(context, lease, write)
    if description.manifest:
        headers = {"Content-Type": MANIFEST_TYPE}
        name = manifest_name(lease.key, upload.sha256)
        context.media.put(name, description.manifest, headers=headers, metadata={})
    return StoredMaster(describe_master(metadata, etag, master.content_type, len(master.body)), etags)


def copy_master(context: IngestContext, lease: Lease, upload: FetchedUpload, donor: Record) -> StoredMaster | None:
    """Copy the master of ``donor`` inside S3; return None if it changed or is gone.

    Raises as :func:`put_master` does.
    """
    masters, original = context.masters, donor.master
    metadata = build_upload_metadata(lease, upload, original.how, original.rights, original.master_sha256)
    write = masters.copy_writer(lease, masters.bucket, masters.name(donor.key), original, metadata)
    etag, etags = replace_master(context, lease, write)
    if etag is None:
        return None
    if "content_credentials" in donor.provenance:
        names = (manifest_name(key, upload.sha256) for key in (donor.key, lease.key))
        context.media.copy(context.media, *names)
    return StoredMaster(describe_master(metadata, etag, original.content_type, original.size_bytes), etags)


def replace_master[E: str | None](
    context: IngestContext, lease: Lease, write: Callable[[ObjectHead | None], E]
) -> tuple[E, Mapping[str, str]]:
    """Have ``write`` write the served master, and purge if there was one.

    Returns the result of ``write``, and the entity tags of derivatives that were made from this master before, by name.
    Raises Superseded, StaleIndex, ObjectChanged.
    """
    etag, replaced = context.masters.replace(lease, write)
    if etag is None or not replaced:
        return etag, {}
    context.claims.request_check(lease)
    return etag, context.derivatives.purge(lease.key)


def remove_master(context: IngestContext, lease: Lease, *, purge: bool) -> bool:
    """Delete the served master and its derivatives; return whether there was one.

    ``purge``: purge even if there is none. A master that an operator stored is left alone.
    Raises Superseded, ObjectChanged, Unavailable.
    """
    removed = context.masters.remove(lease)
    if removed:
        context.claims.request_check(lease)
    if purge or removed:
        context.derivatives.purge(lease.key)
    return removed


def unpublish(context: IngestContext, lease: Lease, record: Record) -> Record:
    """Delete the served master; return ``record`` without it. Raises as :func:`remove_master` does."""
    remove_master(context, lease, purge=True)
    return lease.build_record(record.state, refusal=record.refusal, held=record.held)


def remove_held_master(context: IngestContext, lease: Lease, known: Record | None) -> None:
    """Delete the held master, if there can be one, and its manifest unless the served master has the same."""
    held = context.claims.held_bucket is not None or (known is not None and known.held)
    if held and context.held_masters.remove(lease):
        context.derivatives.purger.delete_stale_manifests(lease.key)


def adopt_orphan(context: IngestContext, lease: Lease, known: Record) -> Record:
    """Return ``known``, with the existing master if it is not the one that ``known`` describes.

    Such a master is from a worker that lost its claim before it wrote its record. It stays only if the version of the
    upload that it was made from still exists. Raises Superseded, ObjectChanged, Unavailable.
    """
    master = context.claims.head_master(lease.key)
    metadata = master.metadata if master is not None else {SEQUENCER: ""}
    if metadata.get(SEQUENCER) in (None, known.master.sequencer):
        return known
    bare = lease.build_record(known.state)
    if master is None or context.uploads.is_deleted(lease.key, metadata[VERSION_ID]):
        remove_master(context, lease, purge=True)
        return bare
    context.derivatives.purge(lease.key)
    found = describe_master(metadata, master.etag, master.headers.get("Content-Type", ""), master.size_bytes)
    return replace(bare, sha256=metadata[SHA256], master=found)


def release_master(context: IngestContext, lease: Lease, held: HeldUpload) -> MasterRef | None:
    """Copy the held master to where it is served; return None if it does not exist.

    A master that is served already was copied by a worker that stopped there. The held one is left to the caller.
    Raises as :func:`put_master` does.
    """
    metadata = _describe_metadata(lease, held)
    existing = context.masters.head(lease.key)
    if existing is not None and metadata.items() <= existing.metadata.items():
        context.derivatives.purge(lease.key)
        return replace(held.master, etag=existing.etag)
    waiting = context.held_masters
    write = context.masters.copy_writer(lease, waiting.bucket, waiting.name(lease.key), held.master, metadata)
    etag, _ = replace_master(context, lease, write)
    return None if etag is None else replace(held.master, etag=etag)


def hold_master(context: IngestContext, lease: Lease, record: Record) -> HeldUpload:
    """Copy the served master to where it waits; the served one is left to the caller.

    Raises ObjectChanged if it is gone.
    """
    held, masters = _describe_held(lease, record), context.masters
    metadata = _describe_metadata(lease, held)
    write = context.held_masters.copy_writer(lease, masters.bucket, masters.name(lease.key), record.master, metadata)
    etag, _ = context.held_masters.replace(lease, write)
    if etag is None:
        context.claims.require(lease, wrote=False)
        raise ObjectChanged(detail=f"the master of {lease.key} is not that of the index")
    return replace(held, master=replace(held.master, etag=etag))


def describe_held_master(context: IngestContext, lease: Lease, record: Record) -> HeldUpload:
    """Describe the copy of a worker that stopped after :func:`hold_master`. Raises ObjectChanged if there is none."""
    existing, held = context.held_masters.head(lease.key), _describe_held(lease, record)
    if existing is None:
        raise ObjectChanged(detail=f"no held master of {lease.key}")
    return replace(held, master=replace(held.master, etag=existing.etag))


def choose_presets(context: IngestContext, key: str) -> tuple[list[Plan], dict[str, bytes]]:
    """Return the presets to render at ingest of ``key``, and the watermark files by name."""
    return select_presets(context.presets, context.always, context.media, key, context.metadata)


def put_presets(
    context: IngestContext, lease: Lease, master: StoredMaster, images: Iterable[Rendition], sha256: str = ""
) -> tuple[str, ...]:
    """Store ``images`` of the master, which was made from the upload with ``sha256``; return the names of presets.

    Raises Superseded, DamagedSource, ObjectChanged, Unavailable.
    """
    require_master = partial(_require_master, context, lease, master.ref.etag)
    names = context.derivatives.put_all(lease.key, master, images, require_master, sha256)
    require_master()
    return tuple(names)


def copy_presets(
    context: IngestContext, lease: Lease, master: StoredMaster, plans: Sequence[Plan], donor: Record
) -> tuple[str, ...] | None:
    """Copy presets and mezzanines of ``donor``; return the presets' names, or None if one does not exist.

    Raises as :func:`put_presets`.
    """
    require_master = partial(_require_master, context, lease, master.ref.etag)
    names = context.derivatives.copy_all(lease.key, master, plans, donor, require_master)
    require_master()
    return None if names is None else tuple(names)


def _require_master(context: IngestContext, lease: Lease, etag: str) -> None:
    """Raise Superseded if the master is not the one whose derivatives were just stored, and purge those."""
    found = context.claims.head_master(lease.key)
    if found is None or found.etag != etag:
        context.derivatives.purge(lease.key)
        raise Superseded(wrote=True)


def build_upload_metadata(
    lease: Lease, upload: FetchedUpload, how: str, rights: str, master_sha256: str = ""
) -> dict[str, str]:
    """Build the metadata of a master of ``upload``."""
    return build_metadata(lease, upload.sha256, upload.head.version_id, how, rights, master_sha256)


def _describe_held(lease: Lease, record: Record) -> HeldUpload:
    """Describe the served image of ``record`` as a held and flagged upload."""
    master = replace(record.master, sequencer=lease.sequencer)
    return HeldUpload(record.sha256, record.facts, record.provenance, master, flagged=True)


def _describe_metadata(lease: Lease, held: HeldUpload) -> dict[str, str]:
    """Build the metadata of the master of ``held``."""
    master = held.master
    return build_metadata(lease, held.sha256, master.version_id, master.how, master.rights, master.master_sha256)


def claim(context: IngestContext, attempt: EventAttempt) -> Lease:
    """Claim the key of ``attempt``; raises Superseded or Busy."""
    with context.observer.step("claim"):
        return attempt.acquire()


def put_ready_image(
    context: IngestContext,
    lease: Lease,
    upload: FetchedUpload,
    description: Description,
    images: Iterable[Rendition],
    put: Callable[[], StoredMaster],
) -> Record:
    """Write the master by ``put`` and its presets; return the record of the upload, which is not written yet.

    Raises as :func:`put_master` and :func:`put_presets` do.
    """
    with context.observer.step("master"):
        master = put()
    with context.observer.step("presets"):
        names = put_presets(context, lease, master, images, upload.sha256)
    return lease.build_ready_record(
        upload.sha256,
        upload.head.version_id,
        facts=description.facts,
        provenance=description.provenance,
        master=master.ref,
        derivatives=names,
        urgent=upload.is_urgent,
    )
