"""The rule by which an experiment stops losers and finds its winner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log

from darkroom.plan.experiments import Experiment

from .statistics import Bounds, Counts, bound_rate, bound_ratio, log_mismatch

MISMATCH_ALPHA = 0.001
"""Probability of a false report that visitors are not divided by the weights."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``percent``: probability that no wrong decision is ever made. ``visitors``: of each variant before one is."""

    percent: int
    visitors: int

    @property
    def alpha(self) -> float:
        """The probability of a wrong decision in one experiment."""
        return 1 - self.percent / 100


@dataclass(frozen=True, slots=True)
class Stop:
    """``preset`` is worse than ``better``: the ratio of their click rates is within ``ratio``."""

    preset: str
    better: str
    ratio: Bounds


@dataclass(frozen=True, slots=True)
class VariantReport:
    """Counts of a variant, and bounds of its click rate, which hold for all variants at the same time."""

    preset: str
    counts: Counts
    bounds: Bounds


def report_variants(experiment: Experiment, counts: Mapping[str, Counts], policy: Policy) -> list[VariantReport]:
    """Bound the click rate of each variant."""
    alpha = policy.alpha / len(experiment.presets)
    found = ((preset, counts.get(preset, Counts())) for preset in experiment.presets)
    return [VariantReport(preset, count, bound_rate(count, alpha)) for preset, count in found]


def is_mismatched(experiment: Experiment, counts: Mapping[str, Counts], stopped: Sequence[str] = ()) -> bool:
    """Whether visitors are not divided by the weights, as when a variant fails to load: no decision is then sound."""
    running = [(preset, weight) for preset, weight in experiment.weights if preset not in stopped]
    visitors = tuple(counts.get(preset, Counts()).visitors for preset, _ in running)
    return log_mismatch(visitors, tuple(weight for _, weight in running)) > -log(MISMATCH_ALPHA)


def find_stops(
    experiment: Experiment, counts: Mapping[str, Counts], policy: Policy, stopped: Sequence[str] = ()
) -> list[Stop]:
    """Find the variants to stop, besides those that are ``stopped``, the worst first. One variant is always left.

    Every pair of variants is compared with its part of the error (Bonferroni), so that an experiment with equal
    variants stops any of them with the probability ``policy.alpha`` at most, however long it runs.
    """
    running = [preset for preset in experiment.presets if preset not in stopped]
    if any(counts.get(preset, Counts()).visitors < policy.visitors for preset in running):
        return []
    if len(running) < 2 or is_mismatched(experiment, counts, stopped):
        return []
    losses: dict[str, Stop] = {}
    for stop in _find_losses(experiment, counts, policy, running):
        if stop.preset not in losses or stop.ratio.high < losses[stop.preset].ratio.high:
            losses[stop.preset] = stop
    return sorted(losses.values(), key=lambda stop: stop.ratio.high)[: len(running) - 1]


def _find_losses(
    experiment: Experiment, counts: Mapping[str, Counts], policy: Policy, running: Sequence[str]
) -> Iterator[Stop]:
    weights = dict(experiment.weights)
    pairs = len(experiment.presets) * (len(experiment.presets) - 1) // 2
    for one, other in combinations(running, 2):
        shares = weights[one], weights[other]
        ratio = bound_ratio(counts[one], counts[other], shares, policy.alpha / pairs)
        if ratio.high < 1:
            yield Stop(one, other, ratio)
        if ratio.low > 1:
            yield Stop(other, one, bound_ratio(counts[other], counts[one], shares[::-1], policy.alpha / pairs))
