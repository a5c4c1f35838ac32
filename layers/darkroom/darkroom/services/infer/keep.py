"""Writing findings such that those about the present master, by who knows best, always win.

There is no transaction over a sidecar, an item and a vector. Each is written over what was seen before the master was
looked at, and over nothing later; the item comes last and says that the others are there. Killed in between, all of it
is done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...aws.archive import Archive, Noted, Sidecar
from ...aws.s3 import S3Bucket
from ...aws.sqs import Queue
from ...aws.vectors import VectorStore
from ...errors import ObjectChanged
from ...findings import CLIENT, SIMILARITY, Findings, findings_from_document, findings_to_document
from ..purge.messages import purge_message
from ..purge.stale_derivatives import derivatives_prefix
from .announce import verdict
from .masters import Masters, Present
from .merging import alike, merged, moved

_TRIES = 5
"""At findings that change between looking and writing."""


class Superseded(Exception):
    """Another master is the present one, or none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept now, and what the sidecar said of the same master before."""

    noted: Noted
    before: Findings | None

    @property
    def findings(self) -> Findings:
        """What is kept now."""
        assert self.noted.findings is not None
        return self.noted.findings


@dataclass(frozen=True)
class Keeper:
    """Where findings go. Derivatives are in ``media``; ``purges`` is the queue of purges that reach the CDN.

    ``tasks`` are all that a picture is looked at for. ``vectors`` None: nothing is kept for similarity.
    """

    archive: Archive
    masters: Masters
    media: S3Bucket
    purges: Queue
    vectors: VectorStore | None
    tasks: Sequence[str]

    def keep(self, present: Present, image_id: str, new: Findings, perceptual_hash: str) -> Kept:
        """Keep ``new`` about ``present``; raises Superseded, Changed where nothing holds still, Unavailable."""
        for _ in range(_TRIES):
            sidecar, noted = self.archive.sidecar(new.generation, present.key), self.archive.noted(present.key)
            self._require(present)
            known = noted.findings if present.behind else sidecar.findings if sidecar is not None else None
            findings = merged(known, new, self.tasks)
            if not present.behind:
                try:
                    findings = self._put(present.key, findings, sidecar)
                except ObjectChanged:
                    continue
                if _stale(known, noted, findings):
                    self._purge(present.key, new.generation)
            to_note = Noted(findings, image_id, present.sha256, verdict(findings), version=noted.version)
            written = self.archive.note(present.key, to_note)
            if written is None:
                continue
            if not present.behind:
                self._put_vector(present, findings, perceptual_hash)
            self._require(present)
            return Kept(written, known if alike(known, new) else None)
        raise ObjectChanged(detail=f"the findings of {present.key} do not hold still")

    def shows(self, present: Present, generation: str) -> bool:
        """Whether pictures of ``present`` are made with findings about it; of one that is not served, none are."""
        if present.behind:
            return True
        sidecar = self.archive.sidecar(generation, present.key)
        found = sidecar.findings if sidecar is not None else None
        return found is not None and found.source_etag == present.etag

    def _require(self, present: Present) -> None:
        now = self.masters.present(present.key)
        if now is None or now.etag != present.etag:
            raise Superseded

    def _put(self, key: str, findings: Findings, over: Sidecar | None) -> Findings:
        """Write the sidecar, unless it says all this already; ``findings`` as of the time that it tells."""
        known = over.findings if over is not None else None
        if known is not None and _plain(findings, known.analysed_at) == known:
            return replace(findings, analysed_at=known.analysed_at)
        self.archive.put_sidecar(key, findings, replaces=over)
        return findings

    def _put_vector(self, present: Present, findings: Findings, perceptual_hash: str) -> None:
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


def _stale(known: Findings | None, noted: Noted, now: Findings) -> bool:
    """Whether pictures may have been made by other findings than those of ``now``.

    The index is written after a purge: where it is behind the sidecar, a worker was killed in between.
    """
    if moved(known, now) or moved(noted.findings, now):
        return True
    unfinished = not noted.speaks_of(now.generation, now.source_etag)
    return unfinished and known is not None and alike(known, now) and not _by_client_alone(known)


def _by_client_alone(findings: Findings) -> bool:
    return all(finding.origin == CLIENT for finding in findings.found.values())


def _options(name: str) -> list[str]:
    """The options in the name of a derivative, with its extension as the last."""
    return name.rpartition("/_/")[2].replace(".", "_").split("_")


def _plain(findings: Findings, analysed_at: str) -> Findings:
    """``findings`` as they read once they are written, at the time ``analysed_at``."""
    return findings_from_document(findings_to_document(replace(findings, analysed_at=analysed_at)))
