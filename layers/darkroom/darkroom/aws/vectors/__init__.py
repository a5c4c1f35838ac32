"""Where the embeddings of pictures are kept, and asked for the nearest: a table of our own, or S3 Vectors.

Vectors of different models have nothing to say to each other: what is put carries the name of its ``model``, and only
vectors of one model are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_COUNT = 100
"""The most neighbours of one question: S3 Vectors answers no more ("Limitations and restrictions", S3 user guide)."""


@dataclass(frozen=True, slots=True)
class StoredVector:
    """What is kept of the picture ``key``.

    ``vector`` has unit length and is empty where a picture has a perceptual hash alone. ``source_etag`` (without
    quotes) names the master that it was made of.
    """

    key: str
    vector: tuple[float, ...]
    source_etag: str
    perceptual_hash: str = ""
    generation: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A picture that was found. ``score`` is the cosine of the angle between two embeddings: 1 for the same picture."""

    key: str
    score: float
    perceptual_hash: str = ""


class VectorStore(Protocol):
    """The store. Every fault of it is Unavailable."""

    def put(
        self,
        key: str,
        vector: Sequence[float],
        *,
        source_etag: str,
        perceptual_hash: str,
        generation: str,
        model: str = "",
    ) -> None:
        """Keep ``vector`` (of any length but zero) for ``key``, in place of what was there.

        An empty one keeps the hash alone, unless there is a vector of the same master already.
        """

    def delete(self, key: str) -> None:
        """Keep nothing of ``key``."""

    def get(self, key: str) -> StoredVector | None:
        """What is kept of ``key``, at this moment."""

    def nearest(self, vector: Sequence[float], *, count: int, prefix: str, model: str = "") -> list[Neighbour]:
        """The ``count`` (1 to MAX_COUNT) nearest of ``model`` among the keys that begin with ``prefix``, nearest first.

        ``prefix`` is empty or ends in a slash. What was put within the last second may be missing.
        """


class HashIndex(Protocol):
    """A store that can also be asked by perceptual hash, which every picture has before its embedding."""

    def nearest_by_hash(self, perceptual_hash: str, *, count: int, prefix: str) -> list[Neighbour]:
        """The ``count`` pictures below ``prefix`` whose hashes differ least, fewest bits first; ``score`` is the share
        of the 64 bits that agree."""
