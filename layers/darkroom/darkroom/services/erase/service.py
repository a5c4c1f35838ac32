"""A request to be forgotten: every trace of one key is removed, and what was removed is told.

What was made of the upload is erased, then the upload itself. The event of its deletion makes ingest write a tombstone,
which keeps every earlier event of the key, and every worker that is still at one, from bringing the picture back. Once
the tombstone is there all is erased again: what a worker wrote in between.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ...aws.audit import ERASURE, AuditLog, hash_key
from ...aws.cloudfront import Distribution
from ...aws.erasures import DONE, FAILED, PENDING, ErasureTable, new_erasure_id
from ...aws.findings_store import item_name, list_generations, sidecar_name
from ...aws.index import Index
from ...aws.record import REMOVED, SEQUENCER_CHARACTERS, Record
from ...aws.s3 import MAX_KEY_BYTES, S3Bucket
from ...aws.sqs import Queue
from ...aws.telemetry import Observer
from ...aws.vectors import VectorStore
from ...errors import BadKey, Unavailable
from ..ingest.quarantine import quarantine_key
from ..purge.consumer import REPEAT_AFTER_S, Wildcard, cdn_paths
from ..purge.messages import FIRST, SECOND, purge_message
from ..s3_keys import HELD_MASTERS, SCENES, ObjectNames, derivatives_prefix
from .report import ErasureReport, state_document

SHA256 = "sha256"
"""User metadata of a master: of the upload that it was made of. Ingest has it too, with all of the imaging layer."""

TOMBSTONE_TIMEOUT_S = 45.0
"""How long is waited for ingest to deal with the deletion. S3's events take a second or two; queues are short."""

POLL_S = 1.0

RESERVED_S = 10.0
"""Time left for the CDN and the answer."""

type Erase = Callable[[], int]
"""Erases a key in one place, all versions of it, and says how many there were."""


@dataclass(frozen=True)
class EraseService:
    """The service. Masters are in ``source`` by ``source_names``; ``purges`` is the queue of purges.

    ``iiif``: whether IIIF's API may serve images too.
    """

    uploads: S3Bucket
    media: S3Bucket
    source: S3Bucket
    source_names: ObjectNames
    quarantine: S3Bucket
    index: Index
    vectors: VectorStore
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
        """The state of the last erasure of ``key``. Raises BadKey and Unavailable."""
        _check_key(key)
        return state_document(key, self.erasures.get(key))

    def erase(self, key: str, remaining_s: Callable[[], float], by: str = "") -> ErasureReport:
        """Remove every trace of ``key``, even one that may name no picture; raises BadKey for what no upload can have.

        The audit log gets to know that ``by``, a person, had something forgotten, and not what it was called.

        What cannot be reached is left out and told. Running it again goes on with it; so does running it for a key that
        has been forgotten already. The CDN is not done when this returns, unless it cannot hold the key: ``check``
        returns whether it is.
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
            self.uploads.delete(key)  # a delete marker: an event even if the upload has expired
            marked = 1
        self._erase_from(report, self._upload_places(key), remaining_s)
        report.removed["uploads"] = max(0, report.removed.get("uploads", 0) - marked)  # our own is not a trace
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
                raise Unavailable(detail="the beginning was not written, or a later erasure of the key has begun")
        if report.failed:
            self.observer.count("ErasuresFailed")
        self.observer.log("INFO", "forgotten", subject=hash_key(key), **done)
        return report

    def _keys_with_same_bytes(self, key: str, known: Record | None) -> list[str]:
        """Other keys with the same bytes."""
        digest = ""
        if known is not None:
            digest = known.sha256 or known.refusal.sha256 or known.held.sha256
        if not digest and (master := self.source.head(self.source_names.name(key))) is not None:
            digest = master.metadata.get(SHA256, "")
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
        """The parts of the scene that is being made of it; those that a worker writes later expire."""
        return {"scenes": lambda: self.media.erase_below(f"{SCENES}{scene}/")} if scene else {}

    def _derived_places(self, key: str) -> Mapping[str, Erase]:
        return {
            "masters": lambda: self.source.erase(self.source_names.name(key)),
            "held": lambda: self.media.erase(HELD_MASTERS.name(key)),
            "derivatives": lambda: self.media.erase_below(derivatives_prefix(key)),
            "findings": lambda: sum(
                self.media.erase(sidecar_name(found, key)) for found in list_generations(self.media)
            ),
            "analysis": lambda: int(self.index.delete_item(item_name(key))),
            "embedding": lambda: self._erase_embedding(key),
            "quarantine": lambda: sum(self.quarantine.erase(copy) for copy in self._quarantined_copies(key)),
            **{place: partial(erase, key) for place, erase in self.further.items()},
        }

    def _erase_embedding(self, key: str) -> int:
        known = self.vectors.get(key) is not None
        self.vectors.delete(key)
        return int(known)

    def _quarantined_copies(self, key: str) -> Iterator[str]:
        """The quarantined copies of ``key``. A key that is refused may itself contain /_/, and begin like this one."""
        sequencer = "0" * SEQUENCER_CHARACTERS
        folder = quarantine_key(key, sequencer).removesuffix(sequencer)
        for page in self.quarantine.list_pages(folder):
            yield from (listed.key for listed in page if "/" not in listed.key.removeprefix(folder))

    def _wait_for_tombstone(self, key: str, before: Record | None, remaining_s: Callable[[], float]) -> Record:
        """Wait until ingest has dealt with the deletion; raises Unavailable if that takes too long."""
        waited_s = 0.0
        while True:
            found = self.index.get(key)
            if found is not None and found.state == REMOVED and (before is None or found.sequencer > before.sequencer):
                return found
            if waited_s >= TOMBSTONE_TIMEOUT_S or remaining_s() < 2 * RESERVED_S:
                raise Unavailable(detail="ingest has not dealt with the deletion yet")
            self.sleep(POLL_S)
            waited_s += POLL_S

    def _invalidate(self, key: str, paths: Sequence[str], erasure: str) -> str:
        """Have the CDN forget, now and after renders that are under way; the invalidation's id, "" if it is queued.

        Raises InvalidPath if the CDN refuses the path, and Unavailable if the queue is out of reach.
        """
        try:
            invalidation = self.distribution.invalidate(paths, f"forget-{uuid.uuid4()}")
        except Unavailable:  # the purge function goes on trying
            self.purges.send(purge_message(key, FIRST, erasure=erasure))
            return ""
        self.purges.send(purge_message(key, SECOND, erasure=erasure), delay_s=REPEAT_AFTER_S)
        return invalidation


def _check_key(key: str) -> None:
    try:
        size_bytes = len(key.encode())
    except UnicodeError as error:
        raise BadKey(detail=repr(error)) from error
    if not 1 <= size_bytes <= MAX_KEY_BYTES:
        raise BadKey(f"A key has 1 to {MAX_KEY_BYTES} bytes")
