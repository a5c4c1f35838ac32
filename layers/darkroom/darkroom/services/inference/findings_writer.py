"""Writing findings such that those about the present master, by who knows best, always win.

There is no transaction over a sidecar, an item and a vector. Each is written over what was seen before the master was
looked at, and over nothing later; the item comes last and says that the others are there. Killed in between, all of it
is done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...aws.findings_store import FindingsRecord, FindingsStore, Sidecar
from ...aws.s3 import S3Bucket
from ...aws.sqs import Queue
from ...aws.vectors import VectorStore
from ...errors import ObjectChanged
from ...findings import CLIENT, SIMILARITY, Findings, findings_from_document, findings_to_document
from ..purge.messages import purge_message
from ..s3_keys import derivatives_prefix
from .analysed_event import moderation_verdict
from .masters import CurrentMaster, Masters
from .merge import invalidates_derivatives, is_same_master, merge_findings

_MAX_ATTEMPTS = 5
"""At findings that change between looking and writing."""


class Superseded(Exception):
    """Another master is the present one, or none."""


@dataclass(frozen=True, slots=True)
class WrittenFindings:
    """What is kept now, and what the sidecar said of the same master before."""

    record: FindingsRecord
    before: Findings | None

    @property
    def findings(self) -> Findings:
        """What is kept now."""
        assert self.record.findings is not None
        return self.record.findings


@dataclass(frozen=True)
class FindingsWriter:
    """Where findings go. Derivatives are in ``media``; ``purges`` is the queue of purges that reach the CDN.

    ``tasks`` are all that a picture is looked at for. ``vectors`` None: nothing is kept for similarity.
    """

    store: FindingsStore
    masters: Masters
    media: S3Bucket
    purges: Queue
    vectors: VectorStore | None
    tasks: Sequence[str]

    def write(self, master: CurrentMaster, image_id: str, new: Findings, perceptual_hash: str) -> WrittenFindings:
        """Keep ``new`` about ``present``; raises Superseded, Changed where nothing holds still, Unavailable."""
        for _ in range(_MAX_ATTEMPTS):
            sidecar, noted = self.store.read_sidecar(new.generation, master.key), self.store.read_record(master.key)
            self._require_current(master)
            known = noted.findings if master.is_replacement else sidecar.findings if sidecar is not None else None
            findings = merge_findings(known, new, self.tasks)
            if not master.is_replacement:
                try:
                    findings = self._put_sidecar(master.key, findings, sidecar)
                except ObjectChanged:
                    continue
                if _derivatives_are_stale(known, noted, findings):
                    self._purge(master.key, new.generation)
            to_note = FindingsRecord(
                findings, image_id, master.sha256, moderation_verdict(findings), version=noted.version
            )
            written = self.store.write_record(master.key, to_note)
            if written is None:
                continue
            if not master.is_replacement:
                self._put_vector(master, findings, perceptual_hash)
            self._require_current(master)
            return WrittenFindings(written, known if is_same_master(known, new) else None)
        raise ObjectChanged(detail=f"the findings of {master.key} do not hold still")

    def is_published(self, present: CurrentMaster, generation: str) -> bool:
        """Whether pictures of ``present`` are made with findings about it; of one that is not served, none are."""
        if present.is_replacement:
            return True
        sidecar = self.store.read_sidecar(generation, present.key)
        found = sidecar.findings if sidecar is not None else None
        return found is not None and found.source_etag == present.etag

    def _require_current(self, present: CurrentMaster) -> None:
        now = self.masters.find_current(present.key)
        if now is None or now.etag != present.etag:
            raise Superseded

    def _put_sidecar(self, key: str, findings: Findings, over: Sidecar | None) -> Findings:
        """Write the sidecar, unless it says all this already; ``findings`` as of the time that it tells."""
        known = over.findings if over is not None else None
        if known is not None and _as_stored(findings, known.analysed_at) == known:
            return replace(findings, analysed_at=known.analysed_at)
        self.store.put_sidecar(key, findings, replaces=over)
        return findings

    def _put_vector(self, present: CurrentMaster, findings: Findings, perceptual_hash: str) -> None:
        embedding = findings.found.get(SIMILARITY)
        if self.vectors is None or embedding is None or not embedding.vector:
            return
        self.vectors.put(
            present.key,
            embedding.vector,
            source_etag=findings.source_etag,
            perceptual_hash=perceptual_hash,
            generation=findings.generation,
            model=f"{embedding.model}/{embedding.version}",
        )

    def _purge(self, key: str, generation: str) -> None:
        """Remove derivatives that were made by findings of ``generation``: here at once, at the CDN by its queue."""
        mark = f"fv-{generation}"
        for page in self.media.list_pages(derivatives_prefix(key)):
            made = [one for one in page if mark in _options(one.key) or one.key.endswith("/_/refusal.json")]
            self.media.delete_many(made)
        self.purges.send(purge_message(key))


def _derivatives_are_stale(known: Findings | None, noted: FindingsRecord, now: Findings) -> bool:
    """Whether pictures may have been made by other findings than those of ``now``.

    The index is written after a purge: where it is behind the sidecar, a worker was killed in between.
    """
    if invalidates_derivatives(known, now) or invalidates_derivatives(noted.findings, now):
        return True
    unfinished = not noted.matches(now.generation, now.source_etag)
    return unfinished and known is not None and is_same_master(known, now) and not _is_client_only(known)


def _is_client_only(findings: Findings) -> bool:
    return all(finding.origin == CLIENT for finding in findings.found.values())


def _options(name: str) -> list[str]:
    """The options in the name of a derivative, with its extension as the last."""
    return name.rpartition("/_/")[2].replace(".", "_").split("_")


def _as_stored(findings: Findings, analysed_at: str) -> Findings:
    """``findings`` as they read once they are written, at the time ``analysed_at``."""
    return findings_from_document(findings_to_document(replace(findings, analysed_at=analysed_at)))
