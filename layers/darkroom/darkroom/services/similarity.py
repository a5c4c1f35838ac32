"""Find similar images by embedding, or by perceptual hash if there is none yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..aws.index import Index
from ..aws.record import CLAIMED, READY, Record
from ..aws.vectors import MAX_COUNT, HashIndex, Neighbour, StoredVector, VectorStore
from ..aws.vectors.packing import hamming_distance
from ..errors import BadOption, BadToken, Busy, FindingsPending, NoInference, NotGranted, NotIngested, SourceMissing
from ..signing import KeySource, try_keys
from .upload_requests import Grant, verify_token

COPY_SCORE = 0.75
"""Minimum score of a copy: 90 % of such pairs are (README of SSCD, for ``sscd_disc_mixup`` on the
pairs of DISC2021; E. Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection", 2022)."""

COPY_BITS = 10
"""Number of differing bits of their hashes below which two images count as copies: see ``imaging.fingerprint``."""

COUNT, LARGEST_COUNT = 10, 50
_COUNTS = frozenset(map(str, range(1, LARGEST_COUNT + 1)))
OVERFETCH = 25
"""Neighbours requested in addition, for those that are left out: the image itself, and images no longer served."""

EMBEDDING, PERCEPTUAL_HASH = "embedding", "perceptual-hash"


@dataclass(frozen=True)
class SimilaritySearch:
    """The service, with its adapters.

    ``hashes`` is the store if it can be searched by hash. ``analyses``: whether the deployment creates embeddings.
    """

    vectors: VectorStore
    hashes: HashIndex | None
    index: Index
    keys: KeySource[Sequence[str]]
    analyses: bool = True
    clock: Callable[[], float] = time.time

    def authorise(self, token: str) -> Grant:
        """Verify an upload token; raises BadToken, Unavailable."""
        return try_keys(self.keys, lambda keys: verify_token(token, keys, self.clock()), BadToken)

    def find(self, grant: Grant, key: str, count: str = "") -> dict[str, object]:
        """Find the images most similar to ``key`` within ``grant``; ``count`` is text. Raises DarkroomError."""
        limit = _read_count(count)
        if not grant.covers(key):
            raise NotGranted
        return {"key": key, **self._search(self._find_served(key), grant, limit)}

    def _find_served(self, key: str) -> Record:
        record = self.index.get(key)
        if record is None:
            raise NotIngested
        if record.state == CLAIMED:
            raise Busy
        if not _is_served(record):
            raise SourceMissing
        return record

    def _search(self, record: Record, grant: Grant, count: int) -> dict[str, object]:
        stored = self.vectors.get(record.key)
        if stored is not None and stored.vector and stored.source_etag == record.master.bare_etag:
            return self._search_by_embedding(record, stored, grant, count)
        return self._search_by_hash(record, grant, count)

    def _search_by_embedding(self, record: Record, stored: StoredVector, grant: Grant, count: int) -> dict[str, object]:
        def search(limit: int, prefix: str) -> Sequence[Neighbour]:
            return self.vectors.nearest(stored.vector, count=limit, prefix=prefix, model=stored.model)

        results = [
            _result(neighbour, bits, neighbour.score >= COPY_SCORE)
            for neighbour, bits in self._served_neighbours(record, grant, count, search)
        ]
        return {"basis": EMBEDDING, "model": stored.model, "results": results}

    def _search_by_hash(self, record: Record, grant: Grant, count: int) -> dict[str, object]:
        """Search by hash: cheaper, available as soon as an image is served, but blind to crops and rotations."""
        perceptual_hash, hashes = _hash_of(record), self.hashes
        if hashes is None or not perceptual_hash:
            raise FindingsPending if self.analyses else NoInference

        def search(limit: int, prefix: str) -> Sequence[Neighbour]:
            return hashes.nearest_by_hash(perceptual_hash, count=limit, prefix=prefix)

        results = [
            _result(neighbour, bits, bits is not None and bits < COPY_BITS)
            for neighbour, bits in self._served_neighbours(record, grant, count, search)
        ]
        if not results and not self.analyses:
            raise NoInference
        return {"basis": PERCEPTUAL_HASH, "results": results}

    def _served_neighbours(
        self, record: Record, grant: Grant, count: int, search: Callable[[int, str], Sequence[Neighbour]]
    ) -> list[tuple[Neighbour, int | None]]:
        """Return neighbours of ``record`` that are granted and served, each with the differing bits of its hash."""
        if not grant.prefix.endswith("/"):
            return []  # a token for one key
        found = [
            neighbour
            for neighbour in search(min(count + OVERFETCH, MAX_COUNT), grant.prefix)
            if neighbour.key != record.key
        ]
        known = self.index.get_many([neighbour.key for neighbour in found])
        served = [neighbour for neighbour in found if neighbour.key in known and _is_served(known[neighbour.key])]
        return [(neighbour, _bits(record, known[neighbour.key])) for neighbour in served[:count]]


def _read_count(text: str) -> int:
    if not text:
        return COUNT
    if text in _COUNTS:
        return int(text)
    raise BadOption(f"count must be a whole number from 1 to {LARGEST_COUNT}, but is {text[:40]!r}", option="count")


def _is_served(record: Record) -> bool:
    return record.state == READY and bool(record.master)


def _hash_of(record: Record) -> str:
    return str(record.facts.get("perceptual_hash", ""))


def _bits(a: Record, b: Record) -> int | None:
    hashes = _hash_of(a), _hash_of(b)
    return hamming_distance(*hashes) if all(hashes) else None


def _result(neighbour: Neighbour, bits: int | None, copy: bool) -> dict[str, object]:
    return {"key": neighbour.key, "score": round(neighbour.score, 4), "perceptual_distance": bits, "copy": copy}
