"""Whether a new variant of the models takes over, goes on being tried, or goes. Pure.

A canary goes if one of its figures is over its limit for sure, so that a few unlucky pictures do not end it. It takes
over once it has been seen for long enough with every figure within its limit. In between it is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Literal, NamedTuple

from .drift import noise_level, psi_of_values
from .sample import Sample, ShadowComparison, TaskComparison

Z = 2.576
"""Of the normal distribution, two-sided, for 99 %: a canary is looked at again and again."""

SLOW_SHARE = 0.05
"""Of answers, may be slower than the 95th percentile allows."""

type Action = Literal["promote", "hold", "rollback"]


class Mean(NamedTuple):
    """The mean of ``n`` values from 0 to 1, a share among them."""

    value: float
    n: int


@dataclass(frozen=True, slots=True)
class VariantStats:
    """What is known of a variant, about the pictures that both variants were asked about.

    ``disagreement`` with the incumbent, ``empty``, the share of results that say nothing, and ``confidences`` go by
    task. ``errors`` of ``invocations`` are SageMaker's own counts, of all calls. ``hours`` is how long it has taken
    calls.
    """

    n: int = 0
    disagreement: Mapping[str, Mean] = field(default_factory=dict)
    empty: Mapping[str, Mean] = field(default_factory=dict)
    confidences: Mapping[str, Sequence[float]] = field(default_factory=dict)
    latencies_ms: Sequence[float] = ()
    errors: int = 0
    invocations: int = 0
    hours: float = 0.0

    @property
    def p50_ms(self) -> float:
        """The median of its answers' times, 0 if there is none."""
        return percentile(self.latencies_ms, 0.5)

    @property
    def p95_ms(self) -> float:
        """The time within which 95 % of its answers came."""
        return percentile(self.latencies_ms, 0.95)


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits, and how much must have been seen.

    A canary is judged from ``min_samples`` pictures on, and by its errors from as many calls on. Rises and ratios are
    over the incumbent's own figure.
    """

    min_samples: int = 30
    max_disagreement: float = 0.15
    max_empty_rise: float = 0.10
    max_confidence_psi: float = 0.25
    max_latency_ratio: float = 1.5
    max_error_rate: float = 0.02
    promote_after_samples: int = 300
    promote_after_hours: float = 24.0


@dataclass(frozen=True, slots=True)
class PolicyMetric:
    """One figure of a canary: its ``value``, at least ``surely``, and the ``limit`` that it is held to."""

    name: str
    value: float
    surely: float
    limit: float

    @property
    def is_violated(self) -> bool:
        """Whether it is over its limit for sure."""
        return self.surely > self.limit

    @property
    def is_within(self) -> bool:
        """Whether it is within its limit as far as can be seen."""
        return self.value <= self.limit

    def __str__(self) -> str:
        return f"{self.name} is {self.value:.3g} (at least {self.surely:.3g}), its limit {self.limit:.3g}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, why, and the figures that were looked at."""

    action: Action
    reasons: tuple[str, ...]
    figures: tuple[PolicyMetric, ...] = ()


def decide(baseline: VariantStats, canary: VariantStats, policy: Policy) -> Decision:
    """What becomes of ``canary``, with ``baseline``, the incumbent, beside it."""
    figures = tuple(_policy_metrics(baseline, canary, policy))
    if broken := [str(figure) for figure in figures if figure.is_violated]:
        return Decision("rollback", tuple(broken), figures)
    doubts = [str(figure) for figure in figures if not figure.is_within]
    wanted = (
        ("pictures", canary.n, max(policy.promote_after_samples, policy.min_samples)),
        ("hours", canary.hours, policy.promote_after_hours),
    )
    short = [f"{seen:g} of {enough:g} {what}" for what, seen, enough in wanted if seen < enough]
    if doubts or short:
        return Decision("hold", (*doubts, *short), figures)
    return Decision("promote", (f"every figure is within its limit after {canary.n} pictures",), figures)


def shadow_stats(samples: Iterable[Sample], canary: str) -> tuple[VariantStats, VariantStats]:
    """What the trials of ``canary`` among ``samples`` say: of its incumbent, and of itself. Errors are not in them."""
    trials = [sample.trial for sample in samples if sample.trial is not None and sample.trial.canary == canary]
    by_task: dict[str, list[TaskComparison]] = {}
    for trial in trials:
        for task, compared in trial.tasks.items():
            by_task.setdefault(task, []).append(compared)
    apart = {
        task: _mean([one.disagreement for one in found if one.disagreement is not None])
        for task, found in by_task.items()
        if any(one.disagreement is not None for one in found)
    }
    return _variant_stats(trials, by_task, 1), _variant_stats(trials, by_task, 0, apart)


def wilson_lower(share: float, n: int, z: float = Z) -> float:
    """The lower bound of Wilson's score interval (E. B. Wilson, 1927) of a ``share`` of ``n``; 0 if ``n`` is.

    It holds for the mean of any values from 0 to 1 too: of all such with that mean, zeros and ones vary most.
    """
    if not n or not share:
        return 0.0
    centre = share + z * z / (2 * n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (centre - half) / (1 + z * z / n))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of ``values`` do not exceed, by the nearest rank; 0 if there is none."""
    return sorted(values)[max(ceil(share * len(values)), 1) - 1] if values else 0.0


def _policy_metrics(baseline: VariantStats, canary: VariantStats, policy: Policy) -> Iterator[PolicyMetric]:
    if canary.invocations >= policy.min_samples:
        rate = min(1.0, canary.errors / canary.invocations)
        yield PolicyMetric("error rate", rate, wilson_lower(rate, canary.invocations), policy.max_error_rate)
    if canary.n < policy.min_samples:
        return
    for task, apart in sorted(canary.disagreement.items()):
        surely = wilson_lower(apart.value, apart.n)
        yield PolicyMetric(f"disagreement about {task}", apart.value, surely, policy.max_disagreement)
    for task, empty in sorted(canary.empty.items()):
        yield _empty_rise(task, baseline.empty.get(task, Mean(0.0, 0)).value, empty, policy.max_empty_rise)
    for task, sure in sorted(canary.confidences.items()):
        if (theirs := baseline.confidences.get(task)) and sure:
            beyond = max(0.0, psi_of_values(theirs, sure) - noise_level(len(theirs), len(sure)))
            yield PolicyMetric(f"confidence PSI of {task} beyond chance", beyond, beyond, policy.max_confidence_psi)
    if baseline.latencies_ms and canary.latencies_ms:
        yield _latency(baseline, canary, policy.max_latency_ratio)


def _empty_rise(task: str, before: float, now: Mean, limit: float) -> PolicyMetric:
    """The incumbent's share is taken as it is: it is about the same pictures, so chance moves both alike."""
    surely = wilson_lower(now.value, now.n) - before
    return PolicyMetric(f"rise of empty results for {task}", now.value - before, surely, limit)


def _latency(baseline: VariantStats, canary: VariantStats, most: float) -> PolicyMetric:
    """The 95th percentile is over its limit for sure if, surely, over 5 % of the answers are slower than that."""
    limit_ms = most * baseline.p95_ms
    slow = sum(ms > limit_ms for ms in canary.latencies_ms)
    ratio = canary.p95_ms / baseline.p95_ms if baseline.p95_ms else 0.0
    sure = wilson_lower(slow / len(canary.latencies_ms), len(canary.latencies_ms)) > SLOW_SHARE
    return PolicyMetric("latency p95 over the incumbent's", ratio, ratio if sure else min(ratio, most), most)


def _variant_stats(
    trials: Sequence[ShadowComparison],
    by_task: Mapping[str, Sequence[TaskComparison]],
    side: Literal[0, 1],
    disagreement: Mapping[str, Mean] | None = None,
) -> VariantStats:
    return VariantStats(
        n=len(trials),
        disagreement=disagreement or {},
        empty={task: _mean([float(one.empty[side]) for one in found]) for task, found in by_task.items()},
        confidences={
            task: [sure for one in found if (sure := one.confidence[side]) is not None]
            for task, found in by_task.items()
        },
        latencies_ms=tuple(trial.latency_ms[side] for trial in trials),
    )


def _mean(values: Sequence[float]) -> Mean:
    return Mean(sum(values) / len(values), len(values))
