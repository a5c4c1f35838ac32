"""One object per key, of which that of the newest event wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from ...aws.record import MasterRef
from ...aws.s3 import ObjectHead, S3Bucket
from ...errors import ObjectChanged
from ..caching import MASTER_SHA256
from ..s3_keys import ObjectNames
from .claims import HOW, SEQUENCER, SHA256, VERSION_ID, Claims, Lease, StaleIndex, Superseded

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
            if existing is not None and existing.metadata.get(SEQUENCER, "") > lease.sequencer:
                raise StaleIndex(existing.metadata[SEQUENCER])
            replaced, tries = replaced or existing is not None, tries + 1
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
        """Return a function for :meth:`replace` that writes ``body`` over the existing object."""

        def write(existing: ObjectHead | None) -> str:
            return self.bucket.put(
                self.name(lease.key),
                body,
                headers={"Content-Type": content_type},
                metadata=metadata,
                tiered=is_tiered(len(body)),
                replaces=existing.etag if existing else "",
            )

        return write

    def copy_writer(
        self, lease: Lease, source: S3Bucket, source_name: str, master: MasterRef, metadata: Mapping[str, str]
    ) -> Callable[[ObjectHead | None], str | None]:
        """Return a function for :meth:`replace` that copies ``master``; it returns None if that changed or is gone."""

        def write(_: ObjectHead | None) -> str | None:
            with suppress(ObjectChanged):
                return self.bucket.copy(
                    source,
                    source_name,
                    self.name(lease.key),
                    headers={"Content-Type": master.content_type},
                    metadata=metadata,
                    tiered=is_tiered(master.size_bytes),
                    source_etag=master.etag,
                )
            return None

        return write


def is_tiered(size_bytes: int) -> bool:
    """Whether an object is large enough for S3 Intelligent-Tiering."""
    return size_bytes >= TIERED_FROM_BYTES


def build_metadata(lease: Lease, sha256: str, version_id: str, how: str, master_sha256: str = "") -> dict[str, str]:
    """Build the metadata of a master of the upload with ``sha256``; ``master_sha256`` is of the master itself."""
    metadata = {SEQUENCER: lease.sequencer, SHA256: sha256, VERSION_ID: version_id, HOW: how}
    return metadata | ({MASTER_SHA256: master_sha256} if master_sha256 else {})


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
    )
