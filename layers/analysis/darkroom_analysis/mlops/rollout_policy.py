"""Decide whether a canary is promoted, held or rolled back. Pure.

It is rolled back if a metric exceeds its limit with confidence, so that a few images do not end it. It is promoted
after enough images and hours with every metric within its limit. Otherwise it is held.

A task whose results changed is measured by the golden set, or it is not measured, and a canary with such a task is
held: agreement with the incumbent on most images does not show whether a rare class is still found. Floors by task and
by class add to the limits of falls.

A trained model finds tags that the incumbent does not know. Differences in tags never roll a canary back: they hold it
until the golden set has evaluated it with enough labels, which then decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, sqrt
from typing import Literal, NamedTuple

from darkroom.findings import TAGS

from .drift import noise_level, psi_of_values
from .golden_set import EVALUATED_TASKS, UNLIMITED, Confusion
from .sample import Sample, ShadowComparison, TaskComparison

Z = 2.576
"""Quantile of the normal distribution for 99 %, two-sided: a canary is evaluated many times."""

SLOW_SHARE = 0.05
"""Share of responses that may be slower than the limit of the 95th percentile."""

type Action = Literal["promote", "hold", "rollback"]


class Mean(NamedTuple):
    """The mean of ``n`` values from 0 to 1, a share among them."""

    value: float
    n: int


@dataclass(frozen=True, slots=True)
class VariantStats:
    """Statistics of a variant for images that both variants analysed.

    ``disagreement`` with the incumbent, ``empty`` (the share of empty results) and ``confidences`` are by task.
    ``errors`` and ``invocations`` are SageMaker's counts of all calls; ``hours`` is the age of the canary. ``golden``
    has the counts of the golden set by task, ``classes`` those by task and class.
    """

    n: int = 0
    disagreement: Mapping[str, Mean] = field(default_factory=dict)
    empty: Mapping[str, Mean] = field(default_factory=dict)
    confidences: Mapping[str, Sequence[float]] = field(default_factory=dict)
    latencies_ms: Sequence[float] = ()
    errors: int = 0
    invocations: int = 0
    hours: float = 0.0
    golden: Mapping[str, Confusion] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, Confusion]] = field(default_factory=dict)

    @property
    def p50_ms(self) -> float:
        """The median latency, 0 without responses."""
        return percentile(self.latencies_ms, 0.5)

    @property
    def p95_ms(self) -> float:
        """The 95th percentile of the latency."""
        return percentile(self.latencies_ms, 0.95)


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits, and minimum amounts of data.

    Metrics count from ``min_samples`` images on, errors from as many calls on, those of the golden set from as many
    labels or findings on, those of one class from ``min_class_labels`` on. Rises, falls and ratios are relative to the
    incumbent. ``golden_floor`` is what precision and recall of a task keep where the incumbent has it.
    ``max_unmeasured`` is the disagreement up to which the results of a task count as unchanged.
    """

    min_samples: int = 30
    max_disagreement: float = 0.15
    max_empty_rise: float = 0.10
    max_confidence_psi: float = 0.25
    max_latency_ratio: float = 1.5
    max_error_rate: float = 0.02
    max_golden_fall: float = 0.05
    golden_floor: float = 0.90
    max_class_fall: float = 0.25
    min_class_labels: int = 5
    max_unmeasured: float = 0.01
    promote_after_samples: int = 300
    promote_after_hours: float = 24.0


@dataclass(frozen=True, slots=True)
class PolicyMetric:
    """One metric of a canary: its ``value``, its lower confidence bound ``surely``, and its ``limit``."""

    name: str
    value: float
    surely: float
    limit: float

    @property
    def is_violated(self) -> bool:
        """Whether it exceeds its limit with confidence."""
        return self.surely > self.limit

    @property
    def is_within(self) -> bool:
        """Whether its value is within the limit."""
        return self.value <= self.limit

    def __str__(self) -> str:
        return f"{self.name} is {self.value:.3g} (at least {self.surely:.3g}), its limit {self.limit:.3g}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The action, its reasons, and the metrics."""

    action: Action
    reasons: tuple[str, ...]
    figures: tuple[PolicyMetric, ...] = ()


def decide(baseline: VariantStats, canary: VariantStats, policy: Policy) -> Decision:
    """Decide about ``canary`` by comparison with ``baseline``, the incumbent."""
    figures = tuple(_policy_metrics(baseline, canary, policy))
    if broken := [str(figure) for figure in figures if figure.is_violated]:
        return Decision("rollback", tuple(broken), figures)
    doubts = [str(figure) for figure in figures if not figure.is_within]
    wanted = (
        ("images", canary.n, max(policy.promote_after_samples, policy.min_samples)),
        ("hours", canary.hours, policy.promote_after_hours),
    )
    short = [f"{seen:g} of {enough:g} {what}" for what, seen, enough in wanted if seen < enough]
    unmeasured = list(_unmeasured_tasks(baseline, canary, policy))
    if doubts or short or unmeasured:
        return Decision("hold", (*doubts, *short, *unmeasured), figures)
    return Decision("promote", (f"every metric is within its limit after {canary.n} images",), figures)


def _unmeasured_tasks(baseline: VariantStats, canary: VariantStats, policy: Policy) -> Iterator[str]:
    """Yield a reason for each task with labels whose results changed, and which the golden set did not measure."""
    for task in EVALUATED_TASKS:
        if canary.disagreement.get(task, Mean(0.0, 0)).value <= policy.max_unmeasured:
            continue
        counts = [one.golden.get(task, Confusion()) for one in (baseline, canary)]
        labels = min(one.true_positives + one.false_negatives for one in counts)
        if labels < policy.min_samples:
            yield f"{task} changed and is not measured: {labels} of {policy.min_samples} labels in the golden set"


def shadow_stats(samples: Iterable[Sample], canary: str) -> tuple[VariantStats, VariantStats]:
    """Return the statistics of the incumbent and of ``canary`` from its shadow tests; without errors."""
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
    """Return the lower bound of Wilson's score interval (E. B. Wilson, 1927) of a ``share`` of ``n``; 0 if ``n`` is.

    It holds for the mean of any values from 0 to 1 too: with a given mean, zeros and ones vary most.
    """
    if not n or not share:
        return 0.0
    centre = share + z * z / (2 * n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (centre - half) / (1 + z * z / n))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the percentile ``share`` of ``values`` by nearest rank; 0 without values."""
    return sorted(values)[max(ceil(share * len(values)), 1) - 1] if values else 0.0


def _policy_metrics(baseline: VariantStats, canary: VariantStats, policy: Policy) -> Iterator[PolicyMetric]:
    if canary.invocations >= policy.min_samples:
        rate = min(1.0, canary.errors / canary.invocations)
        yield PolicyMetric("error rate", rate, wilson_lower(rate, canary.invocations), policy.max_error_rate)
    for task in sorted(baseline.golden.keys() & canary.golden.keys()):
        yield from _golden_falls(task, baseline.golden[task], canary.golden[task], policy)
    yield from _class_falls(baseline, canary, policy)
    if canary.n < policy.min_samples:
        return
    differences = list(_differences(baseline, canary, policy))
    if not _has_labels(baseline, canary, policy):
        yield from (replace(one, surely=min(one.surely, one.limit)) for task, one in differences if task == TAGS)
    yield from (one for task, one in differences if task != TAGS)
    for task, empty in sorted(canary.empty.items()):
        yield _empty_rise(task, baseline.empty.get(task, Mean(0.0, 0)).value, empty, policy.max_empty_rise)
    if baseline.latencies_ms and canary.latencies_ms:
        yield _latency(baseline, canary, policy.max_latency_ratio)


def _differences(baseline: VariantStats, canary: VariantStats, policy: Policy) -> Iterator[tuple[str, PolicyMetric]]:
    """Yield by task how far findings and their confidences are apart."""
    for task, apart in sorted(canary.disagreement.items()):
        surely = wilson_lower(apart.value, apart.n)
        yield task, PolicyMetric(f"disagreement about {task}", apart.value, surely, policy.max_disagreement)
    for task, sure in sorted(canary.confidences.items()):
        if (theirs := baseline.confidences.get(task)) and sure:
            beyond = max(0.0, psi_of_values(theirs, sure) - noise_level(len(theirs), len(sure)))
            name = f"confidence PSI of {task} beyond chance"
            yield task, PolicyMetric(name, beyond, beyond, policy.max_confidence_psi)


def _has_labels(baseline: VariantStats, canary: VariantStats, policy: Policy) -> bool:
    """Whether precision and recall of tags are known for the canary by enough findings and labels."""
    counts = canary.golden.get(TAGS, Confusion())
    found, there = (counts.true_positives + other for other in (counts.false_positives, counts.false_negatives))
    known = baseline.golden.get(TAGS, Confusion())
    return min(found, there) >= policy.min_samples and None not in (known.precision, known.recall)


def _golden_falls(task: str, baseline: Confusion, canary: Confusion, policy: Policy) -> Iterator[PolicyMetric]:
    """Compare precision and recall on the same images. The incumbent's are used as they are, as for empty results."""
    found, there = (canary.true_positives + other for other in (canary.false_positives, canary.false_negatives))
    for name, before, now, n in (
        ("precision", baseline.precision, canary.precision, found),
        ("recall", baseline.recall, canary.recall, there),
    ):
        if before is not None and now is not None and n >= policy.min_samples:
            surely = wilson_lower(1 - now, n) - (1 - before)
            yield PolicyMetric(
                f"fall of {name} of {task} on the golden set", before - now, surely, policy.max_golden_fall
            )
            if before >= policy.golden_floor and (task, name.capitalize()) not in UNLIMITED:
                below = policy.golden_floor - now
                surely = wilson_lower(1 - now, n) - (1 - policy.golden_floor)
                yield PolicyMetric(
                    f"{name} of {task} on the golden set below {policy.golden_floor:g}", below, surely, 0
                )


def _class_falls(baseline: VariantStats, canary: VariantStats, policy: Policy) -> Iterator[PolicyMetric]:
    """Compare the recall of each class with enough labels. Both were evaluated on the same images."""
    for task, classes in sorted(baseline.classes.items()):
        for name, known in sorted(classes.items()):
            now = canary.classes.get(task, {}).get(name, Confusion())
            labels = now.true_positives + now.false_negatives
            if known.recall is None or now.recall is None or labels < policy.min_class_labels:
                continue
            surely = wilson_lower(1 - now.recall, labels) - (1 - known.recall)
            fall = known.recall - now.recall
            yield PolicyMetric(
                f"fall of recall of {task} {name} on the golden set", fall, surely, policy.max_class_fall
            )


def _empty_rise(task: str, before: float, now: Mean, limit: float) -> PolicyMetric:
    """Use the incumbent's share as it is: both saw the same images, so chance affects both alike."""
    surely = wilson_lower(now.value, now.n) - before
    return PolicyMetric(f"rise of empty results for {task}", now.value - before, surely, limit)


def _latency(baseline: VariantStats, canary: VariantStats, most: float) -> PolicyMetric:
    """The percentile exceeds its limit with confidence if more than 5 % of the responses are slower with confidence."""
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
