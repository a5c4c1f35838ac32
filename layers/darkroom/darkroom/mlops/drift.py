"""Whether pictures, or what models say of them, are still like those of a stored baseline. Pure, without numpy.

Two measures for each feature: the population stability index, which tells how far a distribution has moved, and the
two-sample Kolmogorov–Smirnov statistic, the largest distance of both cumulative distributions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log, nextafter, sumprod
from typing import Any, Self

from .sample import Sample, unit_vector

SCHEMA = 1
"""Of a baseline's JSON. Readers refuse any other."""

BINS = 10
"""Deciles of the baseline: N. Siddiqi, Credit Risk Scorecards (2006), from where the index's use comes."""

PSEUDO_COUNT = 0.5
"""Added to each bin's count (Jeffreys' prior), so that a bin in which nothing fell has a logarithm."""

MIN_SAMPLES = 200
"""On either side. Below it, chance alone moves the index as far as drift does: see :func:`noise`, which for 200 against
1,000 is 0.13, for 1,000 of each 0.04."""

CHI_SQUARED_99 = 21.67
"""The 99th percentile of the chi-squared distribution of BINS - 1 degrees of freedom."""

BRIGHTNESS, PIXELS, FORMAT, EMBEDDING = "brightness", "pixels", "format", "embedding"
CONFIDENCE = "confidence-"
"""Before the task's name."""

_CENTROID_HASH_BUCKETS = 128
"""Of 256: samples below it make the centroid, the others are measured from it, in the baseline and ever after. Whoever
helped to make it is nearer to it than others are, by as much as drift would be."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one feature has moved. ``ks`` is None for categories; ``n`` counts the samples that were compared."""

    psi: float
    ks: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """The pictures that others are compared with.

    ``values`` are each numeric feature's, sorted; ``formats`` counts them. ``by`` is whose word most of them stand on:
    what others say of pictures is not compared. ``n`` counts the samples, ``made_at`` is an ISO time.
    """

    values: Mapping[str, tuple[float, ...]]
    formats: Mapping[str, int]
    centroid: tuple[float, ...]
    by: str
    n: int
    made_at: str

    @classmethod
    def build(cls, samples: Sequence[Sample], made_at: str) -> Self:
        """The baseline that ``samples`` make."""
        by = Counter(sample.by for sample in samples).most_common(1)[0][0] if samples else ""
        centroid = _centroid(sample.embedding for sample in samples if sample.by == by and _defines_centroid(sample))
        values = {name: tuple(sorted(found)) for name, found in _values(samples, by, centroid).items()}
        return cls(values, Counter(sample.format for sample in samples), centroid, by, len(samples), made_at)

    def to_document(self) -> dict[str, Any]:
        """The baseline in JSON values."""
        return {
            "schema": SCHEMA,
            "made_at": self.made_at,
            "n": self.n,
            "by": self.by,
            "formats": dict(self.formats),
            "values": {name: list(found) for name, found in self.values.items()},
            "centroid": list(self.centroid),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The baseline of a JSON document; raises ValueError if it is none."""
        try:
            if document["schema"] != SCHEMA:
                raise ValueError(f"schema {document['schema']!r}")
            return cls(
                {str(name): tuple(sorted(map(float, found))) for name, found in document["values"].items()},
                {str(name): int(count) for name, count in document["formats"].items()},
                tuple(map(float, document["centroid"])),
                str(document["by"]),
                int(document["n"]),
                str(document["made_at"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no baseline: {error!r}") from error


def compare(baseline: Baseline, samples: Sequence[Sample]) -> dict[str, Drift | None]:
    """How far each feature of ``samples`` has moved; None where either side has less than MIN_SAMPLES of it."""
    found = _values(samples, baseline.by, baseline.centroid)
    drifts: dict[str, Drift | None] = {
        FORMAT: _categorical_drift(baseline.formats, Counter(one.format for one in samples))
    }
    for name in sorted(baseline.values.keys() | found.keys()):
        drifts[name] = _numeric_drift(baseline.values.get(name, ()), found.get(name, ()))
    return drifts


def largest_psi(drifts: Mapping[str, Drift | None]) -> float | None:
    """The largest index of all features, None if there is none."""
    return max((drift.psi for drift in drifts.values() if drift is not None), default=None)


def psi(expected: Sequence[int], actual: Sequence[int]) -> float:
    """The population stability index of counts in the same bins: the sum of (a - e) · ln(a / e) over their shares."""
    smooth = PSEUDO_COUNT * len(expected)
    total, other = sum(expected) + smooth, sum(actual) + smooth
    shares = (((e + PSEUDO_COUNT) / total, (a + PSEUDO_COUNT) / other) for e, a in zip(expected, actual, strict=True))
    return sum((a - e) * log(a / e) for e, a in shares)


def noise_level(n: int, m: int) -> float:
    """What the index of ``n`` against ``m`` values in BINS bins exceeds once in a hundred times if nothing has moved.

    It is distributed as (1/n + 1/m) times chi-squared of BINS - 1 degrees of freedom: B. Yurdakul, Statistical
    Properties of Population Stability Index (2018).
    """
    return (1 / n + 1 / m) * CHI_SQUARED_99


def psi_of_values(expected: Sequence[float], actual: Sequence[float]) -> float:
    """The index of two samples of numbers in bins by the quantiles of ``expected``, which has at least one."""
    edges = quantile_edges(sorted(expected))
    return psi(bin_counts(edges, expected), bin_counts(edges, actual))


def quantile_edges(ordered: Sequence[float]) -> list[float]:
    """The upper edges of BINS bins, each of which a like number of the ``ordered`` values fall into.

    A value so frequent that it is an edge twice has a bin of its own: else what is less than it would fall into the
    same bin, and nothing would be seen to move.
    """
    quantiles = [ordered[-(-number * len(ordered) // BINS) - 1] for number in range(1, BINS)]
    repeated = {a for a, b in pairwise(quantiles) if a == b}
    return sorted({*quantiles, *(nextafter(value, -inf) for value in repeated)})


def bin_counts(edges: Sequence[float], values: Iterable[float]) -> list[int]:
    """How many ``values`` fall into each bin; a value that is an edge falls below it."""
    found = [0] * (len(edges) + 1)
    for value in values:
        found[bisect_left(edges, value)] += 1
    return found


def ks(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sample Kolmogorov–Smirnov statistic, exactly. Both are sorted and not empty."""
    return max(
        abs(bisect_right(one, value) / len(one) - bisect_right(other, value) / len(other)) for value in {*one, *other}
    )


def _numeric_drift(expected: Sequence[float], actual: Sequence[float]) -> Drift | None:
    if min(len(expected), len(actual)) < MIN_SAMPLES:
        return None
    ordered = sorted(actual)
    return Drift(psi_of_values(expected, ordered), ks(expected, ordered), len(ordered))


def _categorical_drift(expected: Mapping[str, int], actual: Mapping[str, int]) -> Drift | None:
    n = sum(actual.values())
    if min(sum(expected.values()), n) < MIN_SAMPLES:
        return None
    names = expected.keys() | actual.keys()
    return Drift(psi([expected.get(name, 0) for name in names], [actual.get(name, 0) for name in names]), None, n)


_NUMERIC_FEATURES: Mapping[str, Callable[[Sample], float]] = {
    BRIGHTNESS: lambda sample: sample.brightness,
    PIXELS: lambda sample: log(max(sample.pixels, 1)),
}


def _values(samples: Sequence[Sample], by: str, centroid: Sequence[float]) -> dict[str, list[float]]:
    """The numbers of every feature: those of pictures from all samples, those of models from those by ``by``."""
    found = {name: [read(sample) for sample in samples] for name, read in _NUMERIC_FEATURES.items()}
    found[EMBEDDING] = []
    for sample in samples:
        if sample.by != by:
            continue
        for task, said in sample.tasks.items():
            if said.confidence is not None:
                found.setdefault(CONFIDENCE + task, []).append(said.confidence)
        if not _defines_centroid(sample) and centroid and len(sample.embedding) == len(centroid):
            found[EMBEDDING].append(1 - sumprod(unit_vector(sample.embedding), centroid))
    return found


def _defines_centroid(sample: Sample) -> bool:
    return sample.hash_bucket < _CENTROID_HASH_BUCKETS


def _centroid(embeddings: Iterable[bytes]) -> tuple[float, ...]:
    """The mean of unit vectors, those of another number of dimensions than the first left out."""
    total: list[float] = []
    n = 0
    for embedding in filter(None, embeddings):
        if n and len(embedding) != len(total):
            continue
        vector = unit_vector(embedding)
        total = [a + b for a, b in zip(total, vector, strict=True)] if n else vector
        n += 1
    return tuple(value / n for value in total)
