"""The data of a training: embeddings and reviewed tags, split into training and test. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]

MIN_TRAIN, MIN_TEST = 10, 3
"""Images that have a tag, and images that do not have it, which are needed for training and for the test."""

MAX_LISTED = 5
"""Contradictions that a message lists."""


@dataclass(frozen=True, slots=True)
class Example:
    """A reviewed image. ``sha256`` is that of its upload; ``embedding`` has unit length."""

    key: str
    sha256: str
    tags: frozenset[str]
    is_test: bool
    embedding: Sequence[float]
    origin: str = ""


@dataclass(frozen=True)
class Dataset:
    """A row for each image, a column for each of ``tags``."""

    tags: tuple[str, ...]
    embeddings: Floats
    targets: Flags
    is_test: Flags


def build_dataset(examples: Iterable[Example], tags: Sequence[str], known: Collection[str]) -> Dataset:
    """Return the dataset for ``tags``; without any named, for all reviewed tags that are not in ``known``.

    Copies of an image count once. Rows are in the order of digests, so that a training can be repeated. Raises
    ValueError if copies have different tags, and if there are too few images with or without a tag.
    """
    copies: dict[str, list[Example]] = {}
    for example in examples:
        copies.setdefault(example.sha256, []).append(example)
    reviewed = {tag for some in copies.values() for example in some for tag in example.tags}
    chosen = tuple(sorted(set(tags) or reviewed - set(known)))
    if not chosen:
        raise ValueError("The reviewed images have no tag that the model does not know: name known ones with --tag.")
    _require_agreement(copies.values(), frozenset(chosen))
    rows = [copies[digest][0] for digest in sorted(copies)]
    targets = np.array([[tag in row.tags for tag in chosen] for row in rows], np.bool_)
    is_test = np.array([row.is_test for row in rows], np.bool_)
    _require_enough(chosen, targets, is_test)
    return Dataset(chosen, np.array([row.embedding for row in rows], np.float64), targets, is_test)


def _require_agreement(copies: Iterable[Sequence[Example]], tags: frozenset[str]) -> None:
    """Raise ValueError if copies of an image have different ones of ``tags``."""
    found = []
    for first, *others in copies:
        for other in others:
            if first.tags & tags != other.tags & tags:
                named = (
                    f"{one.key} ({', '.join(sorted(one.tags & tags)) or 'none'}, {one.origin})"
                    for one in (first, other)
                )
                found.append(" and ".join(named))
    if found:
        more = f", and {len(found) - MAX_LISTED} more" if len(found) > MAX_LISTED else ""
        raise ValueError(
            f"The same image is reviewed with different tags: {'; '.join(found[:MAX_LISTED])}{more}. "
            "Review it again, or leave one manifest out."
        )


def _describe(example: Example, tags: frozenset[str]) -> str:
    return f"{example.key} ({', '.join(sorted(example.tags & tags)) or 'none'}, {example.origin})"


def _require_enough(tags: Sequence[str], targets: Flags, is_test: Flags) -> None:
    problems = []
    for side, rows, least in (("training", ~is_test, MIN_TRAIN), ("test", is_test, MIN_TEST)):
        counts = targets[rows].sum(axis=0)
        for tag, count in zip(tags, counts.tolist(), strict=True):
            without = int(rows.sum()) - count
            problems += [f"{tag}: {count} images with it for {side}, of {least}"] if count < least else []
            problems += [f"{tag}: {without} images without it for {side}, of {least}"] if without < least else []
    if problems:
        raise ValueError(
            f"Too few reviewed images. {'; '.join(problems)}. Review more, or name the tags to train with --tag."
        )
