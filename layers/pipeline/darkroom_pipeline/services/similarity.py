"""Find images: copies of one, by embedding or perceptual hash; images of the same kind of thing; images with a tag."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from darkroom.errors import (
    BadOption,
    BadToken,
    Busy,
    FindingsPending,
    NoInference,
    NotGranted,
    NotIngested,
    SourceMissing,
)
from darkroom.findings import LIKENESS, SIMILARITY, TAGS
from darkroom.image_keys import MAX_KEY_BYTES
from darkroom.services.upload_requests import Grant, verify_token
from darkroom.signing import KeySource, try_keys

from ..aws.index import Index
from ..aws.record import CLAIMED, READY, Record
from ..aws.tag_index import MAX_TAG_BYTES, TaggedImage, TagIndex, fold_tag
from ..aws.vectors import MAX_COUNT, HashIndex, Neighbour, StoredVector, VectorStore
from ..aws.vectors.packing import hamming_distance

COPY_SCORE = 0.75
"""Minimum score of a copy: 90 % of such pairs are (README of SSCD, for ``sscd_disc_mixup`` on the
pairs of DISC2021; E. Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection", 2022)."""

COPY_BITS = 10
"""Number of differing bits of their hashes below which two images count as copies: see ``imaging.fingerprint``."""

COUNT, LARGEST_COUNT = 10, 50
OVERFETCH = 25
"""Neighbours requested in addition, for those that are left out: the image itself, and images no longer served."""

TAGGED_COUNT, LARGEST_TAGGED_COUNT = 50, 100
MOST_EXAMINED = 1_000
"""Images that a page of images with a tag examines at most: those that are no longer served make it shorter."""

EMBEDDING, PERCEPTUAL_HASH = "embedding", "perceptual-hash"
BASES = (EMBEDDING, LIKENESS)
"""Values of the parameter ``basis``, the default first."""


@dataclass(frozen=True)
class SimilaritySearch:
    """The service, with its adapters.

    ``vectors`` are the stores by task, ``tasks`` those that the deployment analyses images for.
    """

    vectors: Mapping[str, VectorStore]
    tags: TagIndex
    index: Index
    keys: KeySource[Sequence[str]]
    tasks: Sequence[str]
    clock: Callable[[], float] = time.time

    def authorise(self, token: str) -> Grant:
        """Verify an upload token; raises BadToken, Unavailable."""
        return try_keys(self.keys, lambda keys: verify_token(token, keys, self.clock()), BadToken)

    def find(self, grant: Grant, key: str, count: str = "", basis: str = "") -> dict[str, object]:
        """Find the images most similar to ``key`` within ``grant``; ``count`` is text. Raises DarkroomError."""
        limit = _read_count(count, COUNT, LARGEST_COUNT)
        if basis and basis not in BASES:
            raise BadOption(f"basis must be {' or '.join(BASES)}, but is {basis[:40]!r}", option="basis")
        if not grant.covers(key):
            raise NotGranted
        record = self._find_served(key)
        search = self._search_by_likeness if basis == LIKENESS else self._search
        return {"key": key, **search(record, grant, limit)}

    def find_tagged(self, grant: Grant, tag: str, count: str = "", after: str = "") -> dict[str, object]:
        """Find a page of images with ``tag`` within ``grant``, by key, after the key ``after``. Raises DarkroomError.

        ``next`` is the ``after`` of the next page, None on the last one.
        """
        limit = _read_count(count, TAGGED_COUNT, LARGEST_TAGGED_COUNT)
        _check_text(fold_tag(tag), "tag", MAX_TAG_BYTES)
        if after and not grant.covers(after):
            raise NotGranted
        if after:
            _check_text(after, "after", MAX_KEY_BYTES)
        found: list[TaggedImage] = []
        for _ in range(0, MOST_EXAMINED, LARGEST_TAGGED_COUNT):
            page = self.tags.list_page(tag, prefix=grant.prefix, after=after, limit=LARGEST_TAGGED_COUNT)
            served = self._served_tagged(page)
            room = limit - len(found)
            found += served[:room]
            if len(served) > room:
                after = found[-1].key
                break
            if len(page) < LARGEST_TAGGED_COUNT:
                after = ""
                break
            after = page[-1].key
        if not found and TAGS not in self.tasks:
            raise NoInference
        results = [{"key": image.key, "score": image.score} for image in found]
        return {"tag": tag, "results": results, "next": after or None}

    def _served_tagged(self, page: Sequence[TaggedImage]) -> list[TaggedImage]:
        """Return those of ``page`` that are served, and whose tags are those of the current master."""
        known = self.index.get_many([image.key for image in page])
        return [
            image
            for image in page
            if image.key in known
            and _is_served(known[image.key])
            and known[image.key].master.bare_etag == image.source_etag
        ]

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
        stored = self._current_vector(SIMILARITY, record)
        if stored is None:
            return self._search_by_hash(record, grant, count)
        results = [
            _result(neighbour, bits, neighbour.score >= COPY_SCORE)
            for neighbour, bits in self._neighbours_by_vector(SIMILARITY, record, stored, grant, count)
        ]
        return {"basis": EMBEDDING, "model": stored.model, "results": results}

    def _search_by_likeness(self, record: Record, grant: Grant, count: int) -> dict[str, object]:
        stored = self._current_vector(LIKENESS, record)
        if stored is None:
            raise FindingsPending if LIKENESS in self.tasks else NoInference
        results = [
            {"key": neighbour.key, "score": round(neighbour.score, 4)}
            for neighbour, _ in self._neighbours_by_vector(LIKENESS, record, stored, grant, count)
        ]
        return {"basis": LIKENESS, "model": stored.model, "results": results}

    def _current_vector(self, task: str, record: Record) -> StoredVector | None:
        """Return the embedding of the current master of ``record``."""
        stored = self.vectors[task].get(record.key)
        current = stored is not None and stored.vector and stored.source_etag == record.master.bare_etag
        return stored if current else None

    def _neighbours_by_vector(
        self, task: str, record: Record, stored: StoredVector, grant: Grant, count: int
    ) -> list[tuple[Neighbour, int | None]]:
        def search(limit: int, prefix: str) -> Sequence[Neighbour]:
            return self.vectors[task].nearest(stored.vector, count=limit, prefix=prefix, model=stored.model)

        return self._served_neighbours(record, grant, count, search)

    def _search_by_hash(self, record: Record, grant: Grant, count: int) -> dict[str, object]:
        """Search by hash: cheaper, available as soon as an image is served, but blind to crops and rotations."""
        perceptual_hash, hashes = _hash_of(record), self.vectors[SIMILARITY]
        if not isinstance(hashes, HashIndex) or not perceptual_hash:
            raise FindingsPending if SIMILARITY in self.tasks else NoInference

        def search(limit: int, prefix: str) -> Sequence[Neighbour]:
            return hashes.nearest_by_hash(perceptual_hash, count=limit, prefix=prefix)

        results = [
            _result(neighbour, bits, bits is not None and bits < COPY_BITS)
            for neighbour, bits in self._served_neighbours(record, grant, count, search)
        ]
        if not results and SIMILARITY not in self.tasks:
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


def _read_count(text: str, default: int, most: int) -> int:
    if not text:
        return default
    if text in map(str, range(1, most + 1)):
        return int(text)
    raise BadOption(f"count must be a whole number from 1 to {most}, but is {text[:40]!r}", option="count")


def _check_text(text: str, option: str, max_bytes: int) -> None:
    """Raise BadOption for a text that is no part of DynamoDB's sort key."""
    try:
        size_bytes = len(text.encode())
    except UnicodeError as error:
        raise BadOption(f"{option} is not valid Unicode", option=option) from error
    if not 0 < size_bytes <= max_bytes:
        raise BadOption(f"{option} must have 1 to {max_bytes} bytes", option=option)


def _is_served(record: Record) -> bool:
    return record.state == READY and bool(record.master)


def _hash_of(record: Record) -> str:
    return str(record.facts.get("perceptual_hash", ""))


def _bits(a: Record, b: Record) -> int | None:
    hashes = _hash_of(a), _hash_of(b)
    return hamming_distance(*hashes) if all(hashes) else None


def _result(neighbour: Neighbour, bits: int | None, copy: bool) -> dict[str, object]:
    return {"key": neighbour.key, "score": round(neighbour.score, 4), "perceptual_distance": bits, "copy": copy}
