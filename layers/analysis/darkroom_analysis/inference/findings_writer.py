"""Write findings so that those of the current master with the highest rank always win.

No transaction spans the sidecar, the index item, the vectors and the tags. Each is written conditionally on the version
that was read before; the item is written last and marks the others as complete. After a crash all of it is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from darkroom.errors import ObjectChanged, Unavailable
from darkroom.findings import CLIENT, TAGS, Findings, findings_from_document, findings_to_document
from darkroom.image_keys import derivatives_prefix
from darkroom_pipeline.aws.findings_store import FindingsRecord, FindingsStore, Sidecar
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.aws.tag_index import TagIndex
from darkroom_pipeline.aws.vectors import StoredVector, VectorStore
from darkroom_pipeline.services.masters import CurrentMaster, Masters
from darkroom_pipeline.services.purge.stale_derivatives import purge_message

from .merge import invalidates_derivatives, is_same_master, merge_findings, moderation_verdict

_MAX_ATTEMPTS = 5
"""Attempts to write findings that another worker changes concurrently."""


class Superseded(Exception):
    """Another master is current, or none."""


@dataclass(frozen=True, slots=True)
class WrittenFindings:
    """The index ``record`` as written, and the earlier findings of the same master, None without any."""

    record: FindingsRecord
    before: Findings | None

    @property
    def findings(self) -> Findings:
        """The findings as written."""
        assert self.record.findings is not None
        return self.record.findings


@dataclass(frozen=True)
class FindingsWriter:
    """Derivatives are in ``media``; ``purges`` is the queue of CDN purges.

    ``vectors`` has the store of each task that has embeddings.
    """

    store: FindingsStore
    masters: Masters
    media: S3Bucket
    purges: Queue
    vectors: Mapping[str, VectorStore]
    tags: TagIndex | None

    def write(
        self, master: CurrentMaster, image_id: str, new: Findings, perceptual_hash: str, tasks: Sequence[str]
    ) -> WrittenFindings:
        """Merge ``new`` into the stored findings of ``master``; ``tasks`` are all tasks of its analysis.

        Raises Superseded, ObjectChanged, Unavailable.
        """
        for _ in range(_MAX_ATTEMPTS):
            sidecar, record = self.store.read_sidecar(new.generation, master.key), self.store.read_record(master.key)
            self._require_current(master)
            known = record.findings if master.is_replacement else sidecar.findings if sidecar is not None else None
            findings = merge_findings(known, new, tasks)
            if not master.is_replacement:
                try:
                    findings = self._put_sidecar(master.key, findings, sidecar)
                except ObjectChanged:
                    continue
                if _derivatives_are_stale(known, record, findings):
                    self._purge(master.key, new.generation)
            updated = FindingsRecord(
                findings, image_id, master.sha256, moderation_verdict(findings), version=record.version
            )
            written = self.store.write_record(master.key, updated)
            if written is None:
                continue
            if not master.is_replacement:
                self._put_searchable(master, findings, perceptual_hash)
            self._require_current(master)
            return WrittenFindings(written, known if is_same_master(known, new) else None)
        raise ObjectChanged(detail=f"the findings of {master.key} were changed concurrently")

    def is_published(self, master: CurrentMaster, generation: str) -> bool:
        """Whether renders of ``master`` use its own findings; true for a held master, which is not rendered."""
        if master.is_replacement:
            return True
        sidecar = self.store.read_sidecar(generation, master.key)
        found = sidecar.findings if sidecar is not None else None
        return found is not None and found.source_etag == master.etag

    def delete(self, key: str) -> None:
        """Delete findings, vectors and tags of a key without a master. Raises Unavailable if it has one again."""
        sidecars, record = self.store.list_sidecars(key), self.store.read_record(key)
        if self.masters.find_current(key) is not None:
            raise Unavailable(detail=f"{key} has a master again")
        self.store.delete(key, sidecars, record)
        for store in self.vectors.values():
            store.delete(key)
        if self.tags is not None:
            self.tags.delete(key)

    def _require_current(self, master: CurrentMaster) -> None:
        now = self.masters.find_current(master.key)
        if now is None or now.etag != master.etag:
            raise Superseded

    def _put_sidecar(self, key: str, findings: Findings, stored: Sidecar | None) -> Findings:
        """Write the sidecar unless it is equal already; return ``findings`` with the time of the stored ones."""
        known = stored.findings if stored is not None else None
        if known is not None and _as_stored(findings, known.analysed_at) == known:
            return replace(findings, analysed_at=known.analysed_at)
        self.store.put_sidecar(key, findings, replaces=stored)
        return findings

    def _put_searchable(self, master: CurrentMaster, findings: Findings, perceptual_hash: str) -> None:
        """Store what images are found by: embeddings and tags."""
        for task, store in self.vectors.items():
            found = findings.found.get(task)
            if found is not None and found.vector:
                texts = (findings.source_etag, perceptual_hash, findings.generation, f"{found.model}/{found.version}")
                store.put(StoredVector(master.key, found.vector, *texts))
        if self.tags is not None and TAGS in findings.found:
            labels = findings.found[TAGS].labels
            self.tags.put(master.key, {label.name: label.score for label in labels}, findings.source_etag)

    def _purge(self, key: str, generation: str) -> None:
        """Delete derivatives that were rendered with findings of ``generation``, and purge them from the CDN."""
        mark = f"fv-{generation}"
        for page in self.media.list_pages(derivatives_prefix(key)):
            made = [one for one in page if mark in _options(one.key) or one.key.endswith("/_/refusal.json")]
            self.media.delete_many(made)
        self.purges.send(purge_message(key))


def _derivatives_are_stale(known: Findings | None, record: FindingsRecord, now: Findings) -> bool:
    """Whether derivatives may have been rendered with other findings than ``now``.

    The index is written after a purge; if it is older than the sidecar, a worker was killed before the purge.
    """
    if invalidates_derivatives(known, now) or invalidates_derivatives(record.findings, now):
        return True
    unfinished = not record.matches(now.generation, now.source_etag)
    return unfinished and known is not None and is_same_master(known, now) and not _is_client_only(known)


def _is_client_only(findings: Findings) -> bool:
    return all(finding.origin == CLIENT for finding in findings.found.values())


def _options(name: str) -> list[str]:
    """Return the options in the name of a derivative; its extension is the last."""
    return name.rpartition("/_/")[2].replace(".", "_").split("_")


def _as_stored(findings: Findings, analysed_at: str) -> Findings:
    """Return ``findings`` as they read after a round trip, with the time ``analysed_at``."""
    return findings_from_document(findings_to_document(replace(findings, analysed_at=analysed_at)))
