"""Reuse findings of the same bytes under another key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from darkroom.findings import RANKS, Finding, Findings, rank
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.vectors import VectorStore
from darkroom_pipeline.services.masters import CurrentMaster

MAX_DONORS = 5
"""Keys that are examined: nearly always the first one has the findings, or none."""


@dataclass(frozen=True)
class DuplicateFindings:
    """``vectors`` has the store of each task that has embeddings: a donor must have those of the wanted tasks."""

    store: FindingsStore
    index: Index
    vectors: Mapping[str, VectorStore]

    def find(self, present: CurrentMaster, generation: str, tasks: Sequence[str], by: str) -> dict[str, Finding] | None:
        """Return findings of all ``tasks`` in the same bytes, of origin ``by`` or better; None without any.

        The key itself comes first: a master that was released or copied may have another entity tag.
        """
        if not present.sha256:
            return None
        twins = (twin.key for twin in self.index.find_by_sha256(present.sha256))
        donors = dict.fromkeys([present.key, *twins])
        for key in list(donors)[:MAX_DONORS]:
            whole = self._complete_findings(key, present.sha256, generation)
            if whole is not None and all(rank(whole.found.get(task)) >= RANKS[by] for task in tasks):
                found = self._with_vectors(key, whole.source_etag, {task: whole.found[task] for task in tasks})
                if found is not None:
                    return found
        return None

    def _complete_findings(self, key: str, sha256: str, generation: str) -> Findings | None:
        """Return the findings of ``key`` if it has these bytes, from the sidecar: the index may lack some text."""
        noted = self.store.read_record(key)
        if not noted.announced or noted.sha256_of != sha256:
            return None
        sidecar = self.store.read_sidecar(generation, key)
        whole = sidecar.findings if sidecar is not None else None
        return whole if whole is not None and noted.matches(generation, whole.source_etag) else None

    def _with_vectors(self, key: str, source_etag: str, found: dict[str, Finding]) -> dict[str, Finding] | None:
        """Return ``found`` with its vectors, which sidecars do not have; None if one is missing."""
        for task, store in self.vectors.items():
            embedding = found.get(task)
            if embedding is None or embedding.error:
                continue
            stored = store.get(key)
            if stored is None or not stored.vector or stored.source_etag != source_etag:
                return None
            found = found | {task: replace(embedding, vector=tuple(stored.vector))}
        return found
