"""Anytime-valid bounds, and the rule that stops variants, against simulated experiments."""

from __future__ import annotations

from collections import Counter
from math import exp, log
from random import Random

import pytest
from scipy.stats import betabinom, binom

from cli.experiments.simulation import simulate
from darkroom.plan.experiments import Experiment
from darkroom.settings import DEFAULTS
from darkroom_pipeline.experiments.rules import Policy, find_stops, is_mismatched, report_variants
from darkroom_pipeline.experiments.statistics import (
    Bounds,
    Counts,
    bound_probability,
    bound_rate,
    bound_ratio,
    log_mismatch,
)

HERO = Experiment("hero", (("wide", 50), ("tall", 50)))
THREE = Experiment("three", (("a", 2), ("b", 1), ("c", 1)))
POLICY = Policy(DEFAULTS.experiment_confidence, DEFAULTS.experiment_visitors)
RUNS = 100


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (50, 1_000), (4_000, 9_000)])
def test_bounds_are_where_the_mixture_is_one_over_alpha(successes: int, trials: int) -> None:
    """Compared with SciPy's distributions: the beta-binomial is the mixture, the binomial the likelihood."""
    found = bound_probability(successes, trials, 0.05)
    assert found.low <= successes / trials <= found.high
    for bound in (found.low, found.high):
        if 0 < bound < 1:
            ratio = betabinom.logpmf(successes, trials, 1, 1) - binom.logpmf(successes, trials, bound)
            assert exp(ratio) == pytest.approx(20, rel=1e-6)


def test_nothing_is_known_without_visitors() -> None:
    assert bound_rate(Counts(), 0.05) == Bounds(0.0, 1.0)
    assert bound_ratio(Counts(), Counts(), (1, 1), 0.05).low < 0.7
    assert Counts().rate == 0.0


def test_a_ratio_is_that_of_rates_whatever_the_weights() -> None:
    found = bound_ratio(Counts(30_000, 3_000), Counts(10_000, 500), (3, 1), 0.05)
    assert found.low < 2 < found.high
    assert found.low > 1
    inverse = bound_ratio(Counts(10_000, 500), Counts(30_000, 3_000), (1, 3), 0.05)
    assert (1 / inverse.high, 1 / inverse.low) == (pytest.approx(found.low), pytest.approx(found.high))


def test_bounds_hold_at_all_times() -> None:
    """Of 200 sequences with 50 looks each, at most a twentieth leaves its bounds at any time."""
    random, wrong = Random(77), 0
    for _ in range(200):
        clicks = 0
        for visitors in range(20, 1_020, 20):
            clicks += random.binomialvariate(20, 0.1)
            bounds = bound_rate(Counts(visitors, clicks), 0.05)
            if not bounds.low <= 0.1 <= bounds.high:
                wrong += 1
                break
    assert wrong <= 0.05 * 200


def test_equal_variants_stay_undecided() -> None:
    results = [simulate(HERO, {"wide": 0.05, "tall": 0.05}, POLICY, visitors=50_000, seed=seed) for seed in range(RUNS)]
    assert sum(not result.stopped for result in results) >= 95


def test_rates_that_vary_alike_stay_undecided() -> None:
    """By day and night, where a comparison of two averages over time would also hold; ratios need no equal shares."""
    weighted = Experiment("hero", (("wide", 3), ("tall", 1)))
    results = [
        simulate(weighted, {"wide": 0.1, "tall": 0.1}, POLICY, visitors=20_000, seed=seed, swing=0.9)
        for seed in range(RUNS)
    ]
    assert sum(not result.stopped for result in results) >= 95


def test_the_better_variant_wins() -> None:
    results = [
        simulate(HERO, {"wide": 0.05, "tall": 0.065}, POLICY, visitors=50_000, seed=seed) for seed in range(RUNS)
    ]
    assert Counter(result.winner for result in results) == {"tall": RUNS}


def test_of_several_variants_the_best_is_left() -> None:
    rates = {"a": 0.05, "b": 0.08, "c": 0.06}
    results = [simulate(THREE, rates, POLICY, visitors=100_000, seed=seed) for seed in range(20)]
    assert Counter(result.winner for result in results) == {"b": 20}
    assert Counter(result.stopped[0] for result in results).most_common(1)[0][0] == "a"


def test_no_variant_is_stopped_before_each_has_enough_visitors() -> None:
    counts = {"wide": Counts(999, 10), "tall": Counts(5_000, 500)}
    assert find_stops(HERO, counts | {"tall": Counts(999, 500)}, POLICY) == []
    assert find_stops(HERO, {"wide": Counts(1_000, 10), "tall": Counts(1_000, 500)}, POLICY)[0].preset == "wide"


def test_unequal_shares_of_visitors_stop_decisions() -> None:
    """As when a variant fails to load, and its visitors are not seen."""
    counts = {"wide": Counts(10_000, 500), "tall": Counts(8_000, 800)}
    assert is_mismatched(HERO, counts)
    assert find_stops(HERO, counts, POLICY) == []
    assert not is_mismatched(HERO, {"wide": Counts(10_000), "tall": Counts(9_900)})
    assert log_mismatch((0, 0), (1, 1)) == pytest.approx(0)
    assert log_mismatch((5_000, 5_000), (1, 1)) < log(1)


def test_a_stopped_variant_is_not_compared() -> None:
    counts = {"a": Counts(12_000, 500), "b": Counts(6_000, 600), "c": Counts(6_100, 605)}
    [stop] = find_stops(THREE, counts, POLICY)
    assert (stop.preset, stop.better) in {("a", "b"), ("a", "c")}
    assert stop.ratio.high < 1
    assert find_stops(THREE, counts, POLICY, ["a"]) == []


def test_reports_bound_all_variants_at_once() -> None:
    [wide, tall] = report_variants(HERO, {"wide": Counts(1_000, 50)}, POLICY)
    assert wide.bounds == bound_rate(Counts(1_000, 50), POLICY.alpha / 2)
    assert tall.counts == Counts()
