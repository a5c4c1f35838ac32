"""The policy of canary rollouts."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import FACES, MODERATION, OBJECTS, TAGS
from darkroom_analysis.mlops.golden_set import Confusion
from darkroom_analysis.mlops.rollout_policy import (
    Mean,
    Policy,
    VariantStats,
    decide,
    percentile,
    shadow_stats,
    wilson_lower,
)
from darkroom_analysis.mlops.sample import Sample, ShadowComparison, TaskComparison, TaskSummary

POLICY = Policy()
ENOUGH = POLICY.promote_after_samples


def confidences(seed: int, count: int, *, shape: tuple[float, float] = (8, 2)) -> list[float]:
    chance = random.Random(seed)
    return [chance.betavariate(*shape) for _ in range(count)]


def latencies(count: int, *, times: float = 1.0) -> list[float]:
    return [times * (80 + number % 40) for number in range(count)]


MEASURED = {MODERATION: Confusion(30), FACES: Confusion(40)}
"""Enough labels of each task whose results differ."""


def stats(n: int = ENOUGH, **changes: object) -> VariantStats:
    """Of a canary that is as good as its baseline."""
    usual = VariantStats(
        n=n,
        disagreement={MODERATION: Mean(0.02, n), FACES: Mean(0.05, n)},
        empty={MODERATION: Mean(0.0, n), FACES: Mean(0.4, n)},
        confidences={MODERATION: confidences(1, n)},
        latencies_ms=latencies(n),
        errors=0,
        invocations=n,
        hours=48,
        golden=MEASURED,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


INCUMBENT = stats(confidences={MODERATION: confidences(2, ENOUGH)}, disagreement={})


def test_a_canary_as_good_as_its_baseline_takes_over() -> None:
    decision = decide(INCUMBENT, stats(), POLICY)
    assert (decision.action, decision.reasons) == (
        "promote",
        (f"every metric is within its limit after {ENOUGH} images",),
    )
    assert {figure.name for figure in decision.figures} == {
        "error rate",
        "disagreement about moderation",
        "disagreement about faces",
        "rise of empty results for moderation",
        "rise of empty results for faces",
        "confidence PSI of moderation beyond chance",
        "latency p95 over the incumbent's",
        *(f"fall of {name} of {task} on the golden set" for name in ("precision", "recall") for task in MEASURED),
        *(f"{name} of {task} on the golden set below 0.9" for name in ("precision", "recall") for task in MEASURED),
    }


@pytest.mark.parametrize(
    ("canary", "reason"),
    [
        (stats(disagreement={MODERATION: Mean(0.5, ENOUGH)}), "disagreement about moderation is 0.5 (at least 0.426)"),
        (stats(empty={FACES: Mean(0.7, ENOUGH)}), "rise of empty results for faces is 0.3"),
        (stats(confidences={MODERATION: confidences(1, ENOUGH, shape=(2, 8))}), "confidence PSI of moderation"),
        (stats(latencies_ms=latencies(ENOUGH, times=2)), "latency p95 over the incumbent's is 2"),
        (stats(errors=60), "error rate is 0.2"),
        (
            stats(n=0, disagreement={}, empty={}, confidences={}, latencies_ms=(), errors=20, invocations=40),
            "error rate",
        ),
    ],
)
def test_one_figure_that_is_over_its_limit_for_sure_ends_a_canary(canary: VariantStats, reason: str) -> None:
    decision = decide(INCUMBENT, canary, POLICY)
    assert decision.action == "rollback"
    [said] = decision.reasons
    assert said.startswith(reason)
    assert "its limit" in said


@pytest.mark.parametrize(
    ("canary", "reasons"),
    [
        (stats(n=29, hours=100), ("29 of 300 images",)),
        (stats(hours=2), ("2 of 24 hours",)),
        (stats(n=100, hours=1), ("100 of 300 images", "1 of 24 hours")),
        (stats(n=0, invocations=0, hours=0), ("0 of 300 images", "0 of 24 hours")),
    ],
)
def test_a_canary_is_held_until_enough_was_seen(canary: VariantStats, reasons: tuple[str, ...]) -> None:
    decision = decide(INCUMBENT, canary, POLICY)
    assert (decision.action, decision.reasons) == ("hold", reasons)


@pytest.mark.parametrize(
    "canary",
    [
        stats(disagreement={MODERATION: Mean(0.17, ENOUGH)}),
        stats(empty={FACES: Mean(0.52, ENOUGH)}),
        stats(errors=8),
        stats(latencies_ms=[*latencies(ENOUGH - 17), *latencies(17, times=3)]),
    ],
)
def test_what_is_over_its_limit_by_chance_perhaps_is_held(canary: VariantStats) -> None:
    decision = decide(INCUMBENT, canary, POLICY)
    assert decision.action == "hold"
    [figure] = [figure for figure in decision.figures if not figure.is_within]
    assert decision.reasons == (str(figure),)
    assert figure.surely <= figure.limit < figure.value


@pytest.mark.parametrize(
    "canary",
    [
        stats(n=5, disagreement={MODERATION: Mean(1.0, 5)}, empty={MODERATION: Mean(1.0, 5)}, invocations=5, errors=5),
        stats(n=30, disagreement={MODERATION: Mean(0.3, 30)}),
        stats(n=30, confidences={MODERATION: confidences(1, 30)}),
        stats(n=30, invocations=30, errors=2),
        stats(n=30, latencies_ms=[*latencies(28), 9000, 9000]),
    ],
)
def test_a_few_failures_do_not_end_a_canary(canary: VariantStats) -> None:
    assert decide(INCUMBENT, canary, POLICY).action == "hold"


@pytest.mark.parametrize(
    ("canary", "action", "reason"),
    [
        (Confusion(90, 0, 30), "promote", ""),
        (Confusion(87, 3, 30), "promote", ""),  # a fall of 3 points
        (Confusion(80, 6, 40), "hold", "fall of precision of tags on the golden set is 0.0698"),
        (Confusion(60, 30, 60), "rollback", "fall of precision of tags on the golden set is 0.333"),
        (Confusion(60, 0, 60), "rollback", "fall of recall of tags on the golden set is 0.25"),
        (Confusion(9, 20, 0), "promote", ""),  # too few findings and labels
    ],
)
def test_a_canary_is_compared_on_the_golden_set(canary: Confusion, action: str, reason: str) -> None:
    incumbent = replace(INCUMBENT, golden=MEASURED | {TAGS: Confusion(90, 0, 30)})
    decision = decide(incumbent, stats(golden=MEASURED | {TAGS: canary}), POLICY)
    assert decision.action == action
    assert not reason or any(said.startswith(reason) for said in decision.reasons)
    assert decide(INCUMBENT, stats(golden=MEASURED | {TAGS: canary}), POLICY).action == "promote"


@pytest.mark.parametrize(
    ("canary", "reasons"),
    [
        ({FACES: Confusion(40)}, ["moderation changed and is not measured: 0 of 30 labels in the golden set"]),
        (
            {FACES: Confusion(29), MODERATION: Confusion(0, 0, 0, negatives=500)},
            [
                "faces changed and is not measured: 29 of 30 labels in the golden set",
                "moderation changed and is not measured: 0 of 30 labels in the golden set",
            ],
        ),
    ],
)
def test_a_task_without_labels_has_not_passed(canary: dict[str, Confusion], reasons: list[str]) -> None:
    decision = decide(INCUMBENT, stats(golden=canary), POLICY)
    assert decision.action == "hold"
    assert sorted(decision.reasons) == reasons
    assert decide(replace(INCUMBENT, golden={}), stats(), POLICY).action == "hold", "nor without the incumbent's"


def test_a_task_whose_results_did_not_change_needs_no_labels() -> None:
    same = {MODERATION: Mean(0.005, ENOUGH), FACES: Mean(0.0, ENOUGH)}
    assert decide(INCUMBENT, stats(golden={}, disagreement=same), POLICY).action == "promote"


def classes(**found: int) -> dict[str, dict[str, Confusion]]:
    """Of ten labels of each class as many were found."""
    return {OBJECTS: {name: Confusion(count, 0, 10 - count) for name, count in found.items()}}


@pytest.mark.parametrize(
    ("canary", "action"),
    [
        (classes(car=10, dog=10), "promote"),
        (classes(car=10, dog=8), "promote"),
        (classes(car=10, dog=7), "hold"),
        (classes(car=10, dog=0), "rollback"),
    ],
)
def test_a_canary_that_loses_a_class_is_not_promoted(canary: dict[str, dict[str, Confusion]], action: str) -> None:
    """A rare class hardly shows in the task's sums, nor in disagreement about all images."""
    sums = MEASURED | {OBJECTS: Confusion(1000, 20, 10)}
    incumbent = replace(INCUMBENT, golden=sums, classes=classes(car=10, dog=10))
    decision = decide(incumbent, stats(golden=sums, classes=canary), POLICY)
    assert decision.action == action
    assert (action == "promote") is ("objects dog" not in str(decision.reasons))


def test_a_class_with_few_labels_is_not_judged() -> None:
    few = {OBJECTS: {"dog": Confusion(4)}}
    lost = {OBJECTS: {"dog": Confusion(false_negatives=4)}}
    assert decide(replace(INCUMBENT, classes=few), stats(classes=lost), POLICY).action == "promote"


@pytest.mark.parametrize(
    ("before", "now", "action"),
    [
        (Confusion(920, 0, 80), Confusion(910, 0, 90), "promote"),
        (Confusion(920, 0, 80), Confusion(899, 0, 101), "hold"),  # a fall of two points, to 89.9 %
        (Confusion(880, 0, 120), Confusion(870, 0, 130), "promote"),  # the incumbent has no 90 % either
    ],
)
def test_a_floor_that_the_incumbent_keeps_is_kept(before: Confusion, now: Confusion, action: str) -> None:
    """90 % is the limit of the alarms on precision and recall."""
    incumbent = replace(INCUMBENT, golden=MEASURED | {FACES: before})
    decision = decide(incumbent, stats(golden=MEASURED | {FACES: now}), POLICY)
    assert decision.action == action
    if action == "hold":
        [reason] = decision.reasons
        assert reason.startswith("recall of faces on the golden set below 0.9")


def test_a_model_that_contradicts_most_images_is_rolled_back_first() -> None:
    n = POLICY.min_samples
    assert decide(INCUMBENT, stats(n=n, disagreement={MODERATION: Mean(0.6, n)}), POLICY).action == "rollback"
    assert decide(INCUMBENT, stats(n=n - 1, disagreement={MODERATION: Mean(0.6, n - 1)}), POLICY).action == "hold"


def test_a_policy_sets_the_limits() -> None:
    canary = stats(disagreement={MODERATION: Mean(0.5, ENOUGH)})
    assert decide(INCUMBENT, canary, replace(POLICY, max_disagreement=0.6)).action == "promote"
    assert decide(INCUMBENT, stats(n=40, hours=1), Policy(promote_after_samples=40, promote_after_hours=1)).action == (
        "promote"
    )


def test_fewer_images_than_required_promote_nothing() -> None:
    """Without any analysis no promotion policy promotes."""
    eager = Policy(promote_after_samples=0, promote_after_hours=0)
    assert decide(INCUMBENT, stats(n=29), eager).action == "hold"


ORDER = {"rollback": 0, "hold": 1, "promote": 2}

shares = st.floats(0, 1)
more = st.floats(0, 1)


@given(shares, more, st.integers(1, 2000), st.sampled_from([MODERATION, FACES]))
def test_more_disagreement_never_does_a_canary_good(share: float, rise: float, n: int, task: str) -> None:
    better = stats(n=n, disagreement={task: Mean(share, n)})
    worse = replace(better, disagreement={task: Mean(share + (1 - share) * rise, n)})
    assert rank(worse) <= rank(better)


@given(shares, more, st.integers(1, 2000))
def test_more_empty_results_never_do(share: float, rise: float, n: int) -> None:
    better = stats(n=n, empty={FACES: Mean(share, n)})
    worse = replace(better, empty={FACES: Mean(share + (1 - share) * rise, n)})
    assert rank(worse) <= rank(better)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 400))
def test_more_errors_never_do(errors: int, further: int, invocations: int) -> None:
    better = stats(errors=errors, invocations=invocations)
    assert rank(replace(better, errors=errors + further)) <= rank(better)


@given(st.floats(0.1, 4), st.floats(1, 4), st.integers(1, 400))
def test_slower_answers_never_do(times: float, further: float, n: int) -> None:
    better = stats(n=n, latencies_ms=latencies(n, times=times))
    assert rank(replace(better, latencies_ms=[ms * further for ms in better.latencies_ms])) <= rank(better)


def rank(canary: VariantStats) -> int:
    return ORDER[decide(INCUMBENT, canary, POLICY).action]


def test_wilsons_bound() -> None:
    """0.5 of 100 at 95 %: 0.404, from tables; and of a whole it stays below it."""
    assert wilson_lower(0.5, 100, 1.96) == pytest.approx(0.404, abs=5e-4)
    assert wilson_lower(1.0, 10, 1.96) == pytest.approx(0.722, abs=5e-4)
    assert wilson_lower(0.0, 10) == 0
    assert wilson_lower(0.5, 0) == 0


@given(shares, shares, st.integers(1, 5000))
def test_wilsons_bound_is_below_the_share_and_rises_with_it(one: float, other: float, n: int) -> None:
    low, high = sorted((one, other))
    assert 0 <= wilson_lower(low, n) <= low + 1e-12
    assert wilson_lower(low, n) <= wilson_lower(high, n) + 1e-12
    assert wilson_lower(low, n) <= wilson_lower(low, n + 1) + 1e-12


def test_percentiles_are_by_the_nearest_rank() -> None:
    values = [float(number) for number in range(20, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.95), percentile(values, 1)) == (10, 19, 20)
    assert (percentile([], 0.5), percentile([3.0], 0.01)) == (0, 3)
    assert (stats(20).p50_ms, stats(20).p95_ms) == (89, 98)


def sample(key: str, trial: ShadowComparison | None) -> Sample:
    return Sample(key, "e", 0, "jpeg", 1, 0.5, {FACES: TaskSummary(0.9, False)}, "endpoint", "main", b"", trial)


def test_trials_are_counted_for_both_sides() -> None:
    trials = [
        ShadowComparison("new", "main", {FACES: TaskComparison(1.0, (True, False), (None, 0.9))}, (30, 10)),
        ShadowComparison(
            "new",
            "main",
            {
                FACES: TaskComparison(0.5, (False, False), (0.7, 0.8)),
                MODERATION: TaskComparison(None, (True, True), (None, None)),
            },
            (20, 40),
        ),
    ]
    other = ShadowComparison("old", "main", {FACES: TaskComparison(0.0, (False, False), (0.1, 0.1))}, (1, 1))
    kept = [sample("a", trials[0]), sample("b", trials[1]), sample("c", other), sample("d", None)]
    incumbent, canary = shadow_stats(kept, "new")
    assert canary == VariantStats(
        n=2,
        disagreement={FACES: Mean(0.75, 2)},
        empty={FACES: Mean(0.5, 2), MODERATION: Mean(1.0, 1)},
        confidences={FACES: [0.7], MODERATION: []},
        latencies_ms=(30, 20),
    )
    assert incumbent == VariantStats(
        n=2,
        empty={FACES: Mean(0.0, 2), MODERATION: Mean(1.0, 1)},
        confidences={FACES: [0.9, 0.8], MODERATION: []},
        latencies_ms=(10, 40),
    )


def test_no_trials_are_no_stats() -> None:
    assert shadow_stats([sample("d", None)], "new") == (VariantStats(), VariantStats())
    assert decide(*shadow_stats([], "new"), POLICY).action == "hold"


NEW_TAGS = stats(disagreement={TAGS: Mean(0.9, ENOUGH)}, confidences={TAGS: confidences(1, ENOUGH, shape=(2, 8))})
"""A canary that finds other tags."""

KNOWN_TAGS = replace(INCUMBENT, confidences={TAGS: confidences(2, ENOUGH)})


@pytest.mark.parametrize(
    ("incumbent", "canary", "action"),
    [
        (Confusion(8, 0, 50), Confusion(57, 1, 1), "promote"),
        (Confusion(8, 0, 50), Confusion(10, 48, 48), "rollback"),
        (Confusion(8, 0, 50), Confusion(29, 0, 29), "hold"),  # 29 findings
        (Confusion(8, 0, 21), Confusion(29, 1, 0), "hold"),  # 29 labels
        (Confusion(0, 0, 58), Confusion(57, 1, 1), "hold"),  # no precision to compare with
        (None, None, "hold"),
    ],
)
def test_labels_decide_about_new_tags(incumbent: Confusion | None, canary: Confusion | None, action: str) -> None:
    baseline = replace(KNOWN_TAGS, golden={TAGS: incumbent} if incumbent else {})
    decision = decide(baseline, replace(NEW_TAGS, golden={TAGS: canary} if canary else {}), POLICY)
    assert decision.action == action
    differs = [reason for reason in decision.reasons if "disagreement about tags" in reason or "PSI of tags" in reason]
    assert len(differs) == (2 if action == "hold" else 0)


def test_other_tasks_are_judged_by_differences_whatever_the_labels_of_tags() -> None:
    canary = replace(NEW_TAGS, disagreement={MODERATION: Mean(0.5, ENOUGH)}, golden={TAGS: Confusion(57, 1, 1)})
    decision = decide(replace(KNOWN_TAGS, golden={TAGS: Confusion(8, 0, 50)}), canary, POLICY)
    assert decision.action == "rollback"
    assert decision.reasons[0].startswith("disagreement about moderation")
