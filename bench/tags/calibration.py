"""Choose the thresholds of tags from labelled photographs, and evaluate them on others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

DEFAULT = 0.9
"""Threshold of a tag that the photographs say little about."""

SUPPORTED = 0.8
"""Threshold of a tag with MIN_SUPPORT right photographs from it on, and no wrong one within MARGIN below."""

MIN_SUPPORT = 8
MARGIN = 0.05
"""Distance from the highest score of a wrong tag."""

HIGHEST = 0.98
STEPS = 50
"""Thresholds are multiples of 1 / STEPS."""

FOLDS, REPETITIONS = 10, 5


@dataclass(frozen=True, slots=True)
class Scored:
    """A photograph: the scores of all tags, its tags, and those that count neither way."""

    motif: str
    scores: Mapping[str, float]
    required: frozenset[str]
    optional: frozenset[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """Right, wrong and missed tags, and the wrong ones by name."""

    right: float = 0
    wrong: float = 0
    missed: float = 0
    names: tuple[str, ...] = ()

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.right + other.right, self.wrong + other.wrong, self.missed + other.missed, self.names + other.names
        )

    @property
    def precision(self) -> float:
        """The share of right ones of the tags found."""
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        """The share of the tags that were found."""
        return self.right / (self.right + self.missed)


def calibrate(photographs: Sequence[Scored]) -> dict[str, float]:
    """Return the thresholds that differ from DEFAULT."""
    thresholds: dict[str, float] = {}
    for tag in photographs[0].scores:
        wrong = max((one.scores[tag] for one in photographs if tag not in one.required | one.optional), default=0.0)
        support = sum(one.scores[tag] >= SUPPORTED for one in photographs if tag in one.required)
        if wrong + MARGIN > DEFAULT:
            thresholds[tag] = min(HIGHEST, ceil((wrong + MARGIN) * STEPS) / STEPS)
        elif support >= MIN_SUPPORT and wrong + MARGIN < SUPPORTED:
            thresholds[tag] = SUPPORTED
    return thresholds


def count(photographs: Sequence[Scored], thresholds: Mapping[str, float], default: float = DEFAULT) -> Counts:
    """Count the tags of ``photographs`` that are found with ``thresholds``."""
    total = Counts()
    for one in photographs:
        found = {tag for tag, score in one.scores.items() if score >= thresholds.get(tag, default)}
        wrong = found - one.required - one.optional
        right = len(found & one.required)
        total += Counts(right, len(wrong), len(one.required) - right, tuple(sorted(wrong)))
    return total


def cross_validate(photographs: Sequence[Scored]) -> tuple[Counts, Counter[str]]:
    """Evaluate each photograph with thresholds from those of other motifs.

    Returns means over REPETITIONS splits into FOLDS, and how often each tag was wrong in all of them together.
    """
    total = Counts()
    motifs = sorted({one.motif for one in photographs})
    for seed in range(REPETITIONS):
        random.Random(seed).shuffle(motifs)
        fold_of = {motif: number % FOLDS for number, motif in enumerate(motifs)}
        for fold in range(FOLDS):
            thresholds = calibrate([one for one in photographs if fold_of[one.motif] != fold])
            total += count([one for one in photographs if fold_of[one.motif] == fold], thresholds)
    mean = Counts(total.right / REPETITIONS, total.wrong / REPETITIONS, total.missed / REPETITIONS)
    return mean, Counter(total.names)


def wilson_interval(share: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's score interval (95 %) of a ``share`` of ``n``."""
    centre = share + z * z / (2 * n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n))
