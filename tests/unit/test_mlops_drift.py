"""Detect drift where there is some, and none where there is none."""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import ENDPOINT, FALLBACK, MODERATION
from darkroom_analysis.mlops.drift import (
    BRIGHTNESS,
    CONFIDENCE,
    EMBEDDING,
    FORMAT,
    MIN_SAMPLES,
    PIXELS,
    Baseline,
    Drift,
    bin_counts,
    compare,
    ks,
    largest_psi,
    noise_level,
    psi,
    psi_of_values,
    quantile_edges,
)
from darkroom_analysis.mlops.sample import TaskSummary, quantise

from .synthetic_samples import Change, direction, samples

LIMIT = 0.2
AT = "2026-11-25T00:00:00+00:00"
FEATURES = {BRIGHTNESS, PIXELS, FORMAT, EMBEDDING, "confidence-moderation", "confidence-faces"}


def test_the_index_of_known_shares() -> None:
    """500 and 500 against 800 and 200, by hand: (0.8 - 0.5) ln(0.8/0.5) + (0.2 - 0.5) ln(0.2/0.5)."""
    assert psi([50_000, 50_000], [80_000, 20_000]) == pytest.approx(0.4159, abs=1e-3)


def test_an_empty_bin_counts_and_has_a_logarithm() -> None:
    assert psi([100, 100, 0], [100, 100, 0]) == 0
    assert 0.2 < psi([100, 100, 0], [80, 80, 40]) < 2


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=12))
def test_the_index_is_never_negative_and_the_same_both_ways(bins: list[tuple[int, int]]) -> None:
    one, other = zip(*bins, strict=True)
    assert psi(one, other) >= 0
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, one) == 0


def test_the_statistic_of_known_values() -> None:
    assert ks([1, 2, 3, 4], [3, 4, 5, 6]) == 0.5
    assert ks([1, 2], [3, 4]) == 1
    assert ks([1, 1, 2], [1, 2, 2]) == pytest.approx(1 / 3)


numbers = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=40).map(sorted)


@given(numbers, numbers)
def test_the_statistic_is_the_largest_distance_of_both_distributions(one: list[float], other: list[float]) -> None:
    found = ks(one, other)
    everywhere = [number / 2 for number in range(-42, 43)]
    assert found == max(abs(bisect_right(one, x) / len(one) - bisect_right(other, x) / len(other)) for x in everywhere)
    assert found == ks(other, one)
    assert ks(one, one) == 0


def test_bins_hold_a_tenth_each() -> None:
    values = [float(number) for number in range(1000)]
    edges = quantile_edges(values)
    assert edges == [99, 199, 299, 399, 499, 599, 699, 799, 899]
    assert bin_counts(edges, values) == [100] * 10


def test_a_frequent_value_has_a_bin_of_its_own() -> None:
    same = [12.0] * 300
    assert bin_counts(quantile_edges(same), same) == [0, 300, 0]
    assert psi_of_values(same, [11.0] * 300) > 5
    assert psi_of_values(same, [13.0] * 300) > 5
    assert psi_of_values([1.0] * 150 + [2.0] * 150, [1.0] * 150 + [1.5] * 150) > LIMIT


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
def test_every_value_falls_into_one_bin(values: list[float]) -> None:
    edges = quantile_edges(sorted(values))
    assert edges == sorted(set(edges))
    assert sum(bin_counts(edges, values)) == len(values)
    assert psi_of_values(values, values) == 0


def test_the_same_samples_have_not_moved() -> None:
    known = samples(1, 1000)
    drifts = compare(Baseline.build(known, AT), known)
    assert drifts.keys() == FEATURES
    assert {(drift.psi, drift.ks or 0.0) for drift in drifts.values() if drift} == {(0.0, 0.0)}
    assert largest_psi(drifts) == 0


@pytest.mark.slow
def test_a_thousand_draws_of_the_same_distribution_fire_no_alarm() -> None:
    """Two thousand samples each time, half of them the baseline of the other half."""
    fired = 0
    for seed in range(1000):
        chance = random.Random(seed)
        one, other = (sorted(chance.betavariate(4, 4) for _ in range(1000)) for _ in range(2))
        fired += psi_of_values(one, other) > LIMIT
    assert fired == 0


@pytest.mark.slow
def test_other_seeds_fire_no_alarm_in_any_feature() -> None:
    baseline = Baseline.build(samples(0, 1000), AT)
    largest = {seed: largest_psi(compare(baseline, samples(seed, 1000))) for seed in range(1, 21)}
    assert {seed: psi for seed, psi in largest.items() if psi is None or psi > LIMIT} == {}


def test_noise_is_exceeded_about_once_in_a_hundred_times() -> None:
    exceeded = 0
    for seed in range(2000):
        chance = random.Random(seed)
        one, other = ([chance.random() for _ in range(200)] for _ in range(2))
        exceeded += psi_of_values(one, other) > noise_level(200, 200)
    assert 5 <= exceeded <= 40


def dark(chance: random.Random, fields: dict[str, object]) -> dict[str, object]:
    return fields | {"brightness": chance.betavariate(2, 12)}


def tiny(chance: random.Random, fields: dict[str, object]) -> dict[str, object]:
    return fields | {"pixels": chance.randrange(1000, 90_000)}


def other_formats(chance: random.Random, fields: dict[str, object]) -> dict[str, object]:
    return fields | {"format": chance.choice(["gif", "tiff", "png"])}


def unsure(chance: random.Random, fields: dict[str, object]) -> dict[str, object]:
    return fields | {"tasks": {MODERATION: TaskSummary(chance.betavariate(3, 3), False)}}


TOWARDS = direction(random.Random(7))


def alike(chance: random.Random, fields: dict[str, object]) -> dict[str, object]:
    return fields | {"embedding": quantise(direction(chance, [5 * part for part in TOWARDS]))}


@pytest.mark.parametrize(
    ("change", "feature"),
    [
        (dark, BRIGHTNESS),
        (tiny, PIXELS),
        (other_formats, FORMAT),
        (unsure, CONFIDENCE + MODERATION),
    ],
)
def test_what_has_moved_is_found_and_nothing_else(change: Change, feature: str) -> None:
    drifts = compare(Baseline.build(samples(0, 1000), AT), samples(1, 600, change))
    moved = {name for name, drift in drifts.items() if drift and drift.psi > LIMIT}
    assert moved == {feature}
    found = drifts[feature]
    assert found is not None
    assert found.n == 600
    assert found.ks is None if feature == FORMAT else (found.ks or 0) > 0.3
    assert largest_psi(drifts) == found.psi


def test_images_of_other_subjects_are_ranked_by_their_embeddings() -> None:
    """A baseline of images that are alike, and then others."""
    baseline = Baseline.build(samples(0, 1000, alike), AT)
    unmoved, moved = (
        compare(baseline, samples(1, 1000, alike))[EMBEDDING],
        compare(baseline, samples(1, 1000))[EMBEDDING],
    )
    assert unmoved is not None
    assert moved is not None
    assert unmoved.psi < LIMIT < moved.psi


def of_512(chance: random.Random, fields: dict[str, object]) -> dict[str, object]:
    return fields | {"embedding": quantise([chance.gauss(0, 1) for _ in range(512)])}


def test_samples_of_the_centroid_are_not_measured_from_it() -> None:
    """Embeddings that are anywhere: each is nearer to a mean that it is part of, by which the baseline would differ."""
    known = samples(0, 1000, of_512)
    baseline = Baseline.build(known, AT)
    assert len(baseline.values[EMBEDDING]) == sum(sample.hash_bucket >= 128 for sample in known)
    drift = compare(baseline, samples(5, 1000, of_512))[EMBEDDING]
    assert drift is not None
    assert drift.psi < 0.1


@pytest.mark.parametrize(("known", "seen"), [(MIN_SAMPLES - 1, 1000), (1000, MIN_SAMPLES - 1)])
def test_few_samples_have_no_result(known: int, seen: int) -> None:
    drifts = compare(Baseline.build(samples(0, known), AT), samples(1, seen, dark))
    assert drifts.keys() == FEATURES
    assert set(drifts.values()) == {None}
    assert largest_psi(drifts) is None


def test_enough_samples_have_a_result() -> None:
    drifts = compare(Baseline.build(samples(0, MIN_SAMPLES), AT), samples(1, MIN_SAMPLES, dark))
    assert drifts[BRIGHTNESS] is not None
    assert drifts[EMBEDDING] is None  # half of them made the centroid
    assert compare(Baseline.build([], AT), samples(1, 1000))[BRIGHTNESS] is None


def test_findings_of_other_models_are_not_compared_with_the_baselines() -> None:
    baseline = Baseline.build(samples(0, 1000) + samples(1, 300, unsure, by=FALLBACK), AT)
    assert (baseline.by, baseline.n) == (ENDPOINT, 1300)
    drifts = compare(baseline, samples(2, 1000, unsure, by=FALLBACK))
    assert drifts[CONFIDENCE + MODERATION] is None
    assert drifts[EMBEDDING] is None
    assert drifts[BRIGHTNESS] is not None


def test_embeddings_of_other_dimensions_are_left_out() -> None:
    short = [replace(sample, embedding=sample.embedding[:8]) for sample in samples(2, 500)]
    assert compare(Baseline.build(samples(0, 1000), AT), short)[EMBEDDING] is None
    assert len(Baseline.build(samples(0, 300) + short[:10], AT).centroid) == 32


def test_a_baseline_is_written_and_read() -> None:
    baseline = Baseline.build(samples(0, 400), AT)
    read = Baseline.from_document(json.loads(json.dumps(baseline.to_document())))
    assert read == baseline
    assert compare(read, samples(3, 400)) == compare(baseline, samples(3, 400))


@pytest.mark.parametrize("broken", [{}, {"schema": 2}, {"schema": 1, "values": []}, {"schema": 1}, {"schema": None}])
def test_what_is_no_baseline_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"baseline|schema"):
        Baseline.from_document(broken)


def test_the_worst_of_none_is_none() -> None:
    assert largest_psi({}) is None
    assert largest_psi({"a": Drift(0.1, 0.1, 300), "b": None, "c": Drift(0.3, None, 300)}) == 0.3
