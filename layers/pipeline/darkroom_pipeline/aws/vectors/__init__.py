"""Stores of embeddings with nearest-neighbour search: a DynamoDB table, or S3 Vectors.

Vectors of different models are not comparable: each is stored with the name of its ``model``, and a search compares
vectors of one model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

MAX_COUNT = 100
"""Maximum of neighbours in one search, which is S3 Vectors' ("Limitations and restrictions", S3 user guide)."""


TEXTS = ("source_etag", "perceptual_hash", "generation", "model")
"""Fields of a stored vector that are attributes or metadata of the same name."""


@dataclass(frozen=True, slots=True)
class StoredVector:
    """The embedding of the image ``key``.

    ``vector`` has unit length once it is stored; it is empty for an image with a perceptual hash alone.
    ``source_etag`` (without quotes) is the entity tag of the analysed master.
    """

    key: str
    vector: tuple[float, ...]
    source_etag: str
    perceptual_hash: str = ""
    generation: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A similar image. ``score`` is the cosine similarity of the embeddings: 1 for the same image."""

    key: str
    score: float
    perceptual_hash: str = ""


class VectorStore(Protocol):
    """A store of embeddings. Every fault is Unavailable."""

    def put(self, new: StoredVector) -> None:
        """Store ``new``, whose vector may have any length but zero, in place of the previous one of its key.

        An empty vector stores the hash alone, unless a vector of the same master is stored.
        """

    def delete(self, key: str) -> None:
        """Delete the embedding of ``key``."""

    def get(self, key: str) -> StoredVector | None:
        """Read the embedding of ``key``, consistently."""

    def nearest(self, vector: Sequence[float], *, count: int, prefix: str, model: str = "") -> list[Neighbour]:
        """Find the ``count`` (1 to MAX_COUNT) nearest of ``model`` among keys below ``prefix``, nearest first.

        ``prefix`` is empty or ends in a slash. Vectors of the last second may be missing.
        """


@runtime_checkable
class HashIndex(Protocol):
    """A store that can also be searched by perceptual hash, which every image has before its embedding."""

    def nearest_by_hash(self, perceptual_hash: str, *, count: int, prefix: str) -> list[Neighbour]:
        """Find the ``count`` images below ``prefix`` whose hashes differ in the fewest bits.

        ``score`` is the share of the 64 bits that are equal.
        """
