"""Measure the drift of images and model outputs from a stored baseline. Pure, without numpy.

Each feature has two measures: the population stability index (PSI) and the two-sample Kolmogorov–Smirnov statistic, the
largest distance of both cumulative distributions.
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
"""Version of a baseline's JSON."""

BINS = 10
"""Deciles of the baseline (N. Siddiqi, Credit Risk Scorecards, 2006)."""

PSEUDO_COUNT = 0.5
"""Added to each bin's count (Jeffreys' prior), so that an empty bin has a logarithm."""

MIN_SAMPLES = 200
"""Minimum on either side: below it, chance moves the index as far as drift does. :func:`noise_level` is 0.13 for 200
against 1,000 samples, 0.04 for 1,000 of each."""

CHI_SQUARED_99 = 21.67
"""The 99th percentile of the chi-squared distribution of BINS - 1 degrees of freedom."""

BRIGHTNESS, PIXELS, FORMAT, EMBEDDING = "brightness", "pixels", "format", "embedding"
CONFIDENCE = "confidence-"
"""Prefix of the task's name."""

_CENTROID_HASH_BUCKETS = 128
"""Of 256: samples below it define the centroid, the others are measured from it. Samples that define it are nearer to
it than others, by as much as drift would be."""


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift of one feature. ``ks`` is None for categories; ``n`` is the number of compared samples."""

    psi: float
    ks: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """The reference distribution.

    ``values`` are sorted, by numeric feature; ``formats`` are counts. ``by`` is the origin of most findings; those of
    other origins are not compared. ``n`` is the number of samples, ``made_at`` an ISO time.
    """

    values: Mapping[str, tuple[float, ...]]
    formats: Mapping[str, int]
    centroid: tuple[float, ...]
    by: str
    n: int
    made_at: str

    @classmethod
    def build(cls, samples: Sequence[Sample], made_at: str) -> Self:
        """Build the baseline of ``samples``."""
        by = Counter(sample.by for sample in samples).most_common(1)[0][0] if samples else ""
        centroid = _centroid(sample.embedding for sample in samples if sample.by == by and _defines_centroid(sample))
        values = {name: tuple(sorted(found)) for name, found in _values(samples, by, centroid).items()}
        return cls(values, Counter(sample.format for sample in samples), centroid, by, len(samples), made_at)

    def to_document(self) -> dict[str, Any]:
        """Return the baseline as JSON values."""
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
        """Parse a JSON document. Raises ValueError."""
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
    """Return the drift of each feature of ``samples``; None if either side has fewer than MIN_SAMPLES values."""
    found = _values(samples, baseline.by, baseline.centroid)
    drifts: dict[str, Drift | None] = {
        FORMAT: _categorical_drift(baseline.formats, Counter(one.format for one in samples))
    }
    for name in sorted(baseline.values.keys() | found.keys()):
        drifts[name] = _numeric_drift(baseline.values.get(name, ()), found.get(name, ()))
    return drifts


def largest_psi(drifts: Mapping[str, Drift | None]) -> float | None:
    """Return the largest index of all features, None without any."""
    return max((drift.psi for drift in drifts.values() if drift is not None), default=None)


def psi(expected: Sequence[int], actual: Sequence[int]) -> float:
    """Return the population stability index of counts in equal bins: the sum of (a - e) · ln(a / e) of their shares."""
    smooth = PSEUDO_COUNT * len(expected)
    total, other = sum(expected) + smooth, sum(actual) + smooth
    shares = (((e + PSEUDO_COUNT) / total, (a + PSEUDO_COUNT) / other) for e, a in zip(expected, actual, strict=True))
    return sum((a - e) * log(a / e) for e, a in shares)


def noise_level(n: int, m: int) -> float:
    """Return the index of ``n`` against ``m`` values that is exceeded in 1 % of cases without drift.

    It is distributed as (1/n + 1/m) times chi-squared of BINS - 1 degrees of freedom: B. Yurdakul, Statistical
    Properties of Population Stability Index (2018).
    """
    return (1 / n + 1 / m) * CHI_SQUARED_99


def psi_of_values(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Return the index of two samples of numbers, in bins by the quantiles of ``expected``, which is not empty."""
    edges = quantile_edges(sorted(expected))
    return psi(bin_counts(edges, expected), bin_counts(edges, actual))


def quantile_edges(ordered: Sequence[float]) -> list[float]:
    """Return the upper edges of BINS bins with equal numbers of the ``ordered`` values.

    A value that is frequent enough to be two edges gets a bin of its own: otherwise smaller values would share it, and
    their drift would not show.
    """
    quantiles = [ordered[-(-number * len(ordered) // BINS) - 1] for number in range(1, BINS)]
    repeated = {a for a, b in pairwise(quantiles) if a == b}
    return sorted({*quantiles, *(nextafter(value, -inf) for value in repeated)})


def bin_counts(edges: Sequence[float], values: Iterable[float]) -> list[int]:
    """Return the number of ``values`` in each bin; a value equal to an edge is below it."""
    found = [0] * (len(edges) + 1)
    for value in values:
        found[bisect_left(edges, value)] += 1
    return found


def ks(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the exact two-sample Kolmogorov–Smirnov statistic. Both are sorted and not empty."""
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
    """Return the values of each feature: of images from all samples, of model outputs from those of origin ``by``."""
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
    """Return the mean of the unit vectors that have as many dimensions as the first."""
    total: list[float] = []
    n = 0
    for embedding in filter(None, embeddings):
        if n and len(embedding) != len(total):
            continue
        vector = unit_vector(embedding)
        total = [a + b for a, b in zip(total, vector, strict=True)] if n else vector
        n += 1
    return tuple(value / n for value in total)
