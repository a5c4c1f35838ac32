"""Erasure flow (docs/explanation/architecture.md): remove every trace of one key and report what was removed.

What was derived from the upload is erased, then the upload itself. The event of its deletion makes ingest write a
tombstone, which stops earlier events of the key, and workers that still process one, from restoring the image. Then
everything is erased again, because a worker may have written in between.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from darkroom.aws.telemetry import Observer
from darkroom.errors import BadKey, Unavailable
from darkroom.image_keys import HELD_MASTERS, SCENES, ObjectNames, derivatives_prefix, manifests_prefix
from darkroom.services.caching import UPLOAD_SHA256

from ...aws.audit import ERASURE, AuditLog, hash_key
from ...aws.cloudfront import Distribution
from ...aws.erasures import DONE, FAILED, PENDING, ErasureTable, new_erasure_id
from ...aws.findings_store import item_name, list_generations, sidecar_name
from ...aws.index import Index
from ...aws.record import REMOVED, SEQUENCER_CHARACTERS, Record
from ...aws.s3 import MAX_KEY_BYTES, S3Bucket
from ...aws.sqs import Queue
from ...aws.tag_index import TagIndex
from ...aws.vectors import VectorStore
from ...services.ingest.quarantine import quarantine_key
from ...services.purge.consumer import REPEAT_AFTER_S, Wildcard, cdn_paths
from ...services.purge.stale_derivatives import FIRST, SECOND, purge_message
from .report import ErasureReport, found_document, state_document

TOMBSTONE_TIMEOUT_S = 45.0
"""Time to wait for ingest to process the deletion. S3's events take a second or two; queues are short."""

POLL_S = 1.0

RESERVED_S = 10.0
"""Time reserved for the CDN and the response."""

type Erase = Callable[[], int]
"""Erases all versions of a key in one place and returns how many there were."""


@dataclass(frozen=True)
class EraseService:
    """The service. Masters are in ``source`` by ``source_names``; ``purges`` is the purge queue.

    ``wildcards`` are those of dialects that may be served. ``further`` are places outside the core, by name.
    """

    uploads: S3Bucket
    media: S3Bucket
    source: S3Bucket
    source_names: ObjectNames
    quarantine: S3Bucket
    index: Index
    vectors: Mapping[str, VectorStore]
    tags: TagIndex | None
    distribution: Distribution
    purges: Queue
    erasures: ErasureTable
    audit: AuditLog
    observer: Observer
    wildcards: Sequence[Wildcard] = ()
    further: Mapping[str, Callable[[str], int]] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time

    def check(self, key: str) -> dict[str, object]:
        """Return the state of the last erasure of ``key``. Raises BadKey and Unavailable."""
        _check_key(key)
        return state_document(key, self.erasures.get(key))

    def find(self, key: str) -> dict[str, object]:
        """Return which places have data of ``key``, and change nothing. Raises BadKey and Unavailable."""
        _check_key(key)
        found = {
            "uploads": self.uploads.has_versions(key),
            "masters": self.source.has_versions(self.source_names.name(key)),
            "held": self.media.has_versions(HELD_MASTERS.name(key)),
            "derivatives": next(self.media.list_pages(derivatives_prefix(key)), None) is not None,
            "quarantine": next(self._quarantined_copies(key), None) is not None,
        }
        places = [place for place, has_data in found.items() if has_data]
        return found_document(key, self.index.get(key), places, self.erasures.get(key))

    def erase(self, key: str, remaining_s: Callable[[], float], by: str = "") -> ErasureReport:
        """Remove every trace of ``key``, invalid image keys included; raises BadKey for what no upload can have.

        The audit log records ``by``, the person who requested it, and the key's hash instead of the key. The report
        names places that could not be reached; a further run continues with them. The CDN has not completed its
        invalidations when this returns, unless it cannot cache the key: ``check`` returns whether it has.
        """
        _check_key(key)
        report, known, cut = ErasureReport(key, new_erasure_id(self.clock())), None, ""
        with report.record_failures("state"):
            self.erasures.begin(key, report.erasure)
        with report.record_failures("index"):
            known = self.index.get(key)
            report.same_bytes = self._keys_with_same_bytes(key, known)
            cut = known.large_image.id if known is not None else ""
        self._erase_from(report, {**self._derived_places(key), **self._scene_places(cut)}, remaining_s)
        marked = 0
        with report.record_failures("uploads"):
            self.uploads.delete(key)  # a delete marker is an event even if the upload has expired
            marked = 1
        self._erase_from(report, self._upload_places(key), remaining_s)
        report.removed["uploads"] = max(
            0, report.removed.get("uploads", 0) - marked
        )  # our own delete marker is not a trace
        with report.record_failures("index"):
            tombstone = self._wait_for_tombstone(key, known, remaining_s)
            report.record_tombstone(known, tombstone)
        self._erase_from(
            report, {**self._derived_places(key), **self._scene_places(cut), **self._upload_places(key)}, remaining_s
        )
        with report.record_failures("cdn"):
            paths = cdn_paths(key, self.wildcards)
            report.cdn = PENDING if paths else DONE
            report.invalidation = self._invalidate(key, paths, report.erasure) if paths else ""
        done = {"removed": dict(report.removed), "failed": dict(report.failed)}
        with report.record_failures("audit"):
            self.audit.write(ERASURE, hash_key(key), by or "forget", erasure=report.erasure, **done)
        with report.record_failures("state"):
            cdn = FAILED if "cdn" in report.failed else report.cdn
            stored = FAILED if set(report.failed) - {"cdn", "state"} else DONE
            written = self.erasures.set_cdn(key, report.erasure, cdn, report.invalidation)
            if not (written and self.erasures.set_stored(key, report.erasure, stored)):
                raise Unavailable(detail="the start was not written, or a later erasure of the key has begun")
        if report.failed:
            self.observer.count("ErasuresFailed")
        self.observer.log("INFO", "erasure finished", subject=hash_key(key), **done)
        return report

    def _keys_with_same_bytes(self, key: str, known: Record | None) -> list[str]:
        """Return other keys with the same bytes."""
        digest = ""
        if known is not None:
            digest = known.sha256 or known.refusal.sha256 or known.held.sha256
        if not digest and (master := self.source.head(self.source_names.name(key))) is not None:
            digest = master.metadata.get(UPLOAD_SHA256, "")
        return sorted({twin.key for twin in self.index.find_by_sha256(digest)} - {key}) if digest else []

    def _erase_from(self, report: ErasureReport, places: Mapping[str, Erase], remaining_s: Callable[[], float]) -> None:
        for place, erase in places.items():
            with report.record_failures(place):
                if remaining_s() < RESERVED_S:
                    raise Unavailable(detail="no time is left")
                report.removed[place] = report.removed.get(place, 0) + erase()

    def _upload_places(self, key: str) -> Mapping[str, Erase]:
        return {"uploads": lambda: self.uploads.erase(key)}

    def _scene_places(self, scene: str) -> Mapping[str, Erase]:
        """The parts of a large image that is being processed; those that a worker writes later expire."""
        return {"scenes": lambda: self.media.erase_below(f"{SCENES}{scene}/")} if scene else {}

    def _derived_places(self, key: str) -> Mapping[str, Erase]:
        return {
            "masters": lambda: self.source.erase(self.source_names.name(key)),
            "held": lambda: self.media.erase(HELD_MASTERS.name(key)),
            "derivatives": lambda: self.media.erase_below(derivatives_prefix(key)),
            "manifests": lambda: self.media.erase_below(manifests_prefix(key)),
            "findings": lambda: sum(
                self.media.erase(sidecar_name(found, key)) for found in list_generations(self.media)
            ),
            "analysis": lambda: int(self.index.delete_item(item_name(key))),
            "embedding": lambda: sum(_erase_embedding(store, key) for store in self.vectors.values()),
            "tags": lambda: self.tags.delete(key) if self.tags is not None else 0,
            "quarantine": lambda: sum(self.quarantine.erase(copy) for copy in self._quarantined_copies(key)),
            **{place: partial(erase, key) for place, erase in self.further.items()},
        }

    def _quarantined_copies(self, key: str) -> Iterator[str]:
        """Yield the quarantined copies of ``key``. A refused key may itself contain /_/, and begin like this one."""
        sequencer = "0" * SEQUENCER_CHARACTERS
        folder = quarantine_key(key, sequencer).removesuffix(sequencer)
        for page in self.quarantine.list_pages(folder):
            yield from (listed.key for listed in page if "/" not in listed.key.removeprefix(folder))

    def _wait_for_tombstone(self, key: str, before: Record | None, remaining_s: Callable[[], float]) -> Record:
        """Wait until ingest has processed the deletion; raises Unavailable if that takes too long."""
        waited_s = 0.0
        while True:
            found = self.index.get(key)
            if found is not None and found.state == REMOVED and (before is None or found.sequencer > before.sequencer):
                return found
            if waited_s >= TOMBSTONE_TIMEOUT_S or remaining_s() < 2 * RESERVED_S:
                raise Unavailable(detail="ingest has not processed the deletion yet")
            self.sleep(POLL_S)
            waited_s += POLL_S

    def _invalidate(self, key: str, paths: Sequence[str], erasure: str) -> str:
        """Invalidate the CDN now, and again after renders in progress; return the id, "" if it is queued.

        Raises InvalidPath if the CDN refuses the path, and Unavailable if the queue cannot be reached.
        """
        try:
            invalidation = self.distribution.invalidate(paths, f"forget-{uuid.uuid4()}")
        except Unavailable:  # the purge function retries
            self.purges.send(purge_message(key, FIRST, erasure=erasure))
            return ""
        self.purges.send(purge_message(key, SECOND, erasure=erasure), delay_s=REPEAT_AFTER_S)
        return invalidation


def _erase_embedding(store: VectorStore, key: str) -> int:
    known = store.get(key) is not None
    store.delete(key)
    return int(known)


def _check_key(key: str) -> None:
    try:
        size_bytes = len(key.encode())
    except UnicodeError as error:
        raise BadKey(detail=repr(error)) from error
    if not 1 <= size_bytes <= MAX_KEY_BYTES:
        raise BadKey(f"A key has 1 to {MAX_KEY_BYTES} bytes")
