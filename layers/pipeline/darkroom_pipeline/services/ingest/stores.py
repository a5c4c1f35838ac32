"""Masters and derivatives in S3: of each key, that of the newest event wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from darkroom.aws.telemetry import log
from darkroom.errors import ObjectChanged, OverLimits, SourceChanged
from darkroom.image_keys import ObjectNames
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.model import Plan
from darkroom.plan.option_plugins import NO_TEXTS, find_file_plugin, get_plugin_texts, list_plugin_files
from darkroom.plan.presets import Presets
from darkroom.plan.redaction import needs_findings
from darkroom.services.caching import (
    MASTER_RIGHTS,
    MASTER_SHA256,
)
from darkroom.services.deadline import Deadline

from ...aws.record import MasterRef
from ...aws.s3 import ObjectHead, S3Bucket
from .claims import HOW, PYRAMID, SEQUENCER, SHA256, VERSION_ID, Claims, Lease, StaleIndex, Superseded
from .examine import Rendition, UploadExaminer

TRIES = 4
"""Tries to replace or remove an object that changes between read and write."""

TIERED_FROM_BYTES = 131_072
"""Smaller objects are never tiered, and are billed as this many bytes (S3 Intelligent-Tiering, user guide)."""


@dataclass(frozen=True)
class MasterStore:
    """Masters in ``bucket`` by ``names``: those that are served, or those that wait for moderation."""

    claims: Claims
    bucket: S3Bucket
    names: ObjectNames

    def name(self, key: str) -> str:
        """Return the name of the object of ``key``."""
        return self.names.name(key)

    def head(self, key: str) -> ObjectHead | None:
        """Return the head of the object of ``key``."""
        return self.bucket.head(self.name(key))

    def replace[E: str | None](self, lease: Lease, write: Callable[[ObjectHead | None], E]) -> tuple[E, bool]:
        """Call ``write`` with the existing object, between two checks of the lease.

        Returns the result of ``write`` and whether there was an object. Raises Superseded, StaleIndex, or
        ObjectChanged if the object changes at each try.
        """
        replaced, tries = False, 0
        while True:
            existing = self.head(lease.key)
            self.claims.require(lease, wrote=False)
            found = existing.metadata.get(SEQUENCER, "") if existing is not None else ""
            if found > lease.sequencer:
                raise StaleIndex(found)
            is_own = tries > 0 and found == lease.sequencer  # by a write whose response was lost
            replaced, tries = replaced or (existing is not None and not is_own), tries + 1
            try:
                etag = write(existing)
            except ObjectChanged:
                if tries == TRIES:
                    raise
                continue
            break
        if etag is not None:
            self.claims.require(lease, wrote=True)
        return etag, replaced

    def remove(self, lease: Lease) -> bool:
        """Delete the object; return whether there was one. An object that an operator stored is left alone.

        Raises Superseded, ObjectChanged, Unavailable.
        """
        for _ in range(TRIES):
            existing = self.head(lease.key)
            metadata = existing.metadata if existing is not None else {}
            if metadata.get(SEQUENCER, "") > lease.sequencer:
                raise Superseded
            self.claims.require(lease, wrote=False)
            if existing is None or SEQUENCER not in metadata:
                return False
            with suppress(ObjectChanged):
                self.bucket.delete(self.name(lease.key), existing.etag)
                self.claims.require(lease, wrote=True)
                return True
        raise ObjectChanged(detail=f"{self.name(lease.key)} changed {TRIES} times")

    def put_writer(
        self, lease: Lease, body: bytes, content_type: str, metadata: Mapping[str, str]
    ) -> Callable[[ObjectHead | None], str]:
        """Return a function for :meth:`replace` that writes ``body`` over the existing object unless it is the same."""
        headers = {"Content-Type": content_type}

        def write(existing: ObjectHead | None) -> str:
            if existing is not None and existing.is_made_of(body, headers, metadata):
                return existing.etag  # an earlier attempt at the event has stored it
            return self.bucket.put(
                self.name(lease.key),
                body,
                headers=headers,
                metadata=metadata,
                tiered=is_tiered(len(body)),
                replaces=existing.etag if existing else "",
            )

        return write

    def copy_writer(
        self, lease: Lease, source: S3Bucket, source_name: str, master: MasterRef, metadata: Mapping[str, str]
    ) -> Callable[[ObjectHead | None], str | None]:
        """Return a function for :meth:`replace` that copies ``master`` over the existing object unless it is the same.

        It returns None if ``master`` changed or is gone.
        """

        def write(existing: ObjectHead | None) -> str | None:
            if existing is not None and (existing.etag, existing.metadata) == (master.etag, metadata):
                return existing.etag  # an earlier attempt at the event has copied it
            with suppress(SourceChanged):
                return self.bucket.copy(
                    source,
                    source_name,
                    self.name(lease.key),
                    headers={"Content-Type": master.content_type},
                    metadata=metadata,
                    tiered=is_tiered(master.size_bytes),
                    source_etag=master.etag,
                    replaces=existing.etag if existing else "",
                )
            return None

        return write


def is_tiered(size_bytes: int) -> bool:
    """Whether an object is large enough for S3 Intelligent-Tiering."""
    return size_bytes >= TIERED_FROM_BYTES


def build_metadata(
    lease: Lease, sha256: str, version_id: str, how: str, rights: str, master_sha256: str = ""
) -> dict[str, str]:
    """Build the metadata of a master of the upload with ``sha256``; ``master_sha256`` is of the master itself.

    ``rights`` and ``master_sha256`` are empty where an earlier version made the master.
    """
    metadata = {SEQUENCER: lease.sequencer, SHA256: sha256, VERSION_ID: version_id, HOW: how}
    further = {MASTER_RIGHTS: rights, MASTER_SHA256: master_sha256}
    return metadata | {name: text for name, text in further.items() if text}


def describe_master(metadata: Mapping[str, str], etag: str, content_type: str, size_bytes: int) -> MasterRef:
    """Describe a master with that ``metadata`` for the index."""
    return MasterRef(
        etag=etag,
        sequencer=metadata[SEQUENCER],
        version_id=metadata[VERSION_ID],
        content_type=content_type,
        size_bytes=size_bytes,
        how=metadata[HOW],
        master_sha256=metadata.get(MASTER_SHA256, ""),
        rights=metadata.get(MASTER_RIGHTS, ""),
    )


class StoredMaster(NamedTuple):
    """A master that was written. ``etags`` are those of derivatives that were made from it before, by name."""

    ref: MasterRef
    etags: Mapping[str, str]


def select_presets(
    presets: Presets, always: ForcedOptions, media: S3Bucket, key: str, metadata: str
) -> tuple[list[Plan], dict[str, bytes]]:
    """Return the presets to render at ingest of ``key``, and the watermark files by name, read from ``media``.

    ``metadata``: what the files of presets have that do not set it. Presets that need findings, or that must be
    redacted, are rendered on request.
    """
    forced, plans = always.find(key), [*presets.build_ingest_plans(key, metadata).values()]
    if any(forced):
        plans = [*map(forced.apply, plans)]
    files = {plan: _list_files(plan) for plan in plans if not needs_findings(plan)}
    watermarks = _read_watermarks(presets, set().union(*files.values()), media)
    return [plan for plan, names in files.items() if watermarks.keys() >= names], watermarks


def _read_watermarks(presets: Presets, names: Iterable[str], media: S3Bucket) -> dict[str, bytes]:
    keys = {name: name if find_file_plugin(name) else presets.watermarks.get(name) for name in sorted(names)}
    opened = {name: media.open(key) for name, key in keys.items() if key}
    if missing := [name for name in keys if opened.get(name) is None]:
        log("ERROR", "watermark missing: presets that use it are rendered on request", names=missing)
    return {name: found.body.read() for name, found in opened.items() if found is not None}


def _list_files(plan: Plan) -> set[str]:
    names = {plan.watermark.name} if plan.watermark else set()
    return names if get_plugin_texts(plan) == NO_TEXTS else names | {*list_plugin_files(plan)}


def render_from_master(
    source: S3Bucket,
    examiner: UploadExaminer,
    master: ObjectHead,
    plans: Sequence[Plan],
    watermarks: Mapping[str, bytes],
    *,
    mezzanines: bool = False,
) -> list[Rendition]:
    """Render ``plans`` and mezzanines from ``master`` in ``source``: a pyramid by ranges, any other after one decode.

    Raises OverLimits, Damaged, TooSlow, TypeNotAllowed, ObjectChanged if the master was replaced, or Unavailable.
    """
    rights = master.metadata.get(MASTER_RIGHTS, "")
    if master.metadata.get(HOW) == PYRAMID:
        from ...imaging.pyramid_presets import PyramidPresets  # few masters are pyramids
        from ..range_source import open_ranges

        presets = PyramidPresets(
            open_ranges(source, master),
            plans,
            limits=examiner.limits,
            watermarks=watermarks,
            rights=rights,
            default_quality=examiner.default_quality,
        )
        return examiner.render(presets)
    data = _read_master(source, master, examiner.limits.max_bytes)
    probe(Source.from_bytes(data), examiner.limits)
    deadline = Deadline(examiner.cpu_limit)
    decoded = examiner.decode(data, plans, watermarks, deadline, mezzanines=mezzanines, rights=rights)
    return examiner.render(decoded, deadline)


def _read_master(source: S3Bucket, master: ObjectHead, max_bytes: int) -> bytes:
    if master.size_bytes > max_bytes:
        raise OverLimits(f"The master has {master.size_bytes:,} bytes; the limit is {max_bytes:,}")
    opened = source.open(master.key)
    if opened is None:
        raise ObjectChanged(detail=f"{master.key} is gone")
    with opened.body as body:
        if opened.head.etag != master.etag:
            raise ObjectChanged(detail=f"{master.key} is {opened.head.etag}")
        return body.read()
