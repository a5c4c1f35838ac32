"""Bulk operation ``ingest``: send events like those of S3 to ingest, and poll the index for the result.

An image of another bucket is copied into the uploads bucket inside S3, whose event reaches ingest. All uploads so pass
the same checks, leases, dead letters and concurrency limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from darkroom.image_keys import ObjectNames

from ..aws.index import Index
from ..aws.record import CLAIMED, HELD, READY, REFUSED, REMOVED, Record
from ..aws.s3 import S3Bucket
from ..aws.s3_objects import ListedObject, ObjectHead
from ..aws.sqs import Queue
from ..operations.sweep import LOWEST_SEQUENCER, SEQUENCER, build_created_event
from ..services.ingest.events import build_repair_message
from .messages import JobSpec
from .results import KeyOutcome, KeyResult

KEY_TAKEN, KNOWN, WAITING = "key-taken", "known", "held"
"""Reasons: another upload has the key; the image is served, though its upload has expired; moderation holds it."""

COPIED_FROM = "library-source-etag"
"""User metadata of an upload that a bulk job has copied: the entity tag of the source, without quotes."""


@dataclass(frozen=True)
class IngestOperation:
    """``queue`` is that of ingest; ``vault`` opens a bucket by name."""

    uploads: S3Bucket
    source: S3Bucket
    source_names: ObjectNames
    index: Index
    queue: Queue
    vault: Callable[[str], S3Bucket]

    def start(self, key: str, spec: JobSpec) -> KeyResult:
        """Send an event of ``key`` to ingest, after copying it if ``spec`` has a source. Raises DarkroomError."""
        if spec.source:
            return self._copy_and_ingest(self.vault(spec.source), key, spec.into + key)
        upload = self.uploads.head(key)
        return KeyResult(KeyOutcome.MISSING) if upload is None else self._request_ingest(upload, key)

    def poll(self, key: str, mark: str) -> KeyResult | None:  # noqa: ARG002, it may have been copied to another
        """Return the result of the upload with the version and key of ``mark``, from the index."""
        version_id, _, upload_key = mark.partition(" ")
        record = self.index.get(upload_key)
        return None if record is None else result_of_record(record, version_id, KeyOutcome.DONE)

    def _request_ingest(self, upload: ObjectHead, key: str) -> KeyResult:
        record = self.index.get(key)
        entry = result_of_record(record, upload.version_id, KeyOutcome.UNCHANGED) if record is not None else None
        if entry is not None:
            return entry
        if record is None:
            there = ListedObject(key, upload.etag, upload.size_bytes, upload.modified_s)
            self.queue.send(build_created_event(self.uploads.bucket, there, self._sequencer(key)))
        elif record.state == CLAIMED:
            self.queue.send(build_repair_message(key))
        return _pending(upload.version_id, key)

    def _copy_and_ingest(self, bucket: S3Bucket, source_key: str, key: str) -> KeyResult:
        original = bucket.head(source_key)
        if original is None:
            return KeyResult(KeyOutcome.MISSING)
        marks, there = {COPIED_FROM: original.etag.strip('"')}, self.uploads.head(key)
        if there is not None:
            ours = there.metadata.get(COPIED_FROM) == marks[COPIED_FROM]
            return self._request_ingest(there, key) if ours else KeyResult(KeyOutcome.REFUSED, KEY_TAKEN)
        record = self.index.get(key)
        if record is not None and record.state != REMOVED:
            return KeyResult(KeyOutcome.UNCHANGED, KNOWN)
        headers = {name: value for name, value in original.headers.items() if name == "Content-Type"}
        etag = self.uploads.copy(bucket, source_key, key, headers=headers, metadata=marks, source_etag=original.etag)
        copied = self.uploads.head(key)
        if etag is None or copied is None:
            return KeyResult(KeyOutcome.MISSING)
        return _pending(copied.version_id, key)  # S3 sends the event to ingest

    def _sequencer(self, key: str) -> str:
        """Return the sequencer of the master if the index has no record: an older event would be dropped."""
        master = self.source.head(self.source_names.name(key))
        return master.metadata.get(SEQUENCER, LOWEST_SEQUENCER) if master is not None else LOWEST_SEQUENCER


def result_of_record(record: Record, version_id: str, outcome: KeyOutcome) -> KeyResult | None:
    """Return the result of that version of an upload, ``outcome`` if it is served; None if it is not finished."""
    if not record.done or record.version_id != version_id:
        return None
    entries = {
        READY: KeyResult(outcome),
        HELD: KeyResult(outcome, WAITING),
        REFUSED: KeyResult(KeyOutcome.REFUSED, record.refusal.code),
        REMOVED: KeyResult(KeyOutcome.MISSING),
    }
    return entries[record.state]


def _pending(version_id: str, key: str) -> KeyResult:
    return KeyResult(KeyOutcome.PENDING, mark=f"{version_id} {key}")
