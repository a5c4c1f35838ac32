"""Tests of storing by chance: the probability, the counts of misses, and the prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import e

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.storing import expect_ratio
from darkroom.services.serve.store_policy import (
    DEFAULT_MEMORY_MB,
    MEMORY_MB,
    MissCosts,
    Rendering,
    SeenMisses,
    StorePolicy,
    UnitPrices,
    build_store_policy,
    compute_probability,
    draw_uniform,
    load_unit_prices,
)
from darkroom_pipeline.operations.cost_model import COMPUTE, load_prices

PRICES = load_unit_prices("x86_64")
RENDERING = Rendering("derivatives/a.jpg/_/w-800.webp", '"1"', 77_000, 108.0, 28.0, gets=5)
PUBLISHED = MissCosts(render=3.18, storing=7.99, read=0.40)
"""US dollars of a million misses, by docs/explanation/cost.md in November 2026."""

usd = st.floats(0, 1e3, allow_subnormal=False)
costs = st.builds(MissCosts, usd, usd, usd)
misses = st.integers(0, 50)


@given(costs, misses)
def test_it_is_a_probability(of: MissCosts, seen: int) -> None:
    assert 0 <= compute_probability(of, seen) <= 1


@given(costs, usd, misses)
def test_it_grows_with_what_a_render_costs(of: MissCosts, more: float, seen: int) -> None:
    expensive = replace(of, render=of.render + more)
    assert compute_probability(expensive, seen) >= compute_probability(of, seen) - 1e-12


@given(costs, usd, misses)
def test_it_falls_with_what_storing_and_reading_cost(of: MissCosts, more: float, seen: int) -> None:
    found = compute_probability(of, seen) + 1e-12
    assert compute_probability(replace(of, storing=of.storing + more), seen) <= found
    assert compute_probability(replace(of, read=of.read + more), seen) <= found


@given(costs, misses)
def test_it_grows_with_the_misses_seen(of: MissCosts, seen: int) -> None:
    assert compute_probability(of, seen + 1) >= compute_probability(of, seen) - 1e-12


@given(costs, st.floats(1e-3, 1e3), misses)
def test_the_currency_does_not_matter(of: MissCosts, rate: float, seen: int) -> None:
    assume(min(of.render, of.storing, of.read) > 1e-6)
    other = MissCosts(of.render * rate, of.storing * rate, of.read * rate)
    assume(abs(of.render - of.read) > 1e-6)
    assert compute_probability(other, seen) == pytest.approx(compute_probability(of, seen), rel=1e-6, abs=1e-9)


@given(costs)
def test_a_render_as_cheap_as_a_read_is_never_stored(of: MissCosts) -> None:
    assume(of.render <= of.read)
    assert compute_probability(of, 3) == 0


def test_after_renders_for_the_price_of_storing_and_a_render_it_is_certain() -> None:
    of = MissCosts(render=2.0, storing=3.0, read=1.0)
    found = [compute_probability(of, seen) for seen in range(5)]
    assert found[0] == pytest.approx(1 / 3 / (e - 1))
    assert 0 < found[0] < found[1] < found[2] < found[3] <= 1
    assert found[4] == 1


def test_published_prices_cost_at_most_162_percent_of_an_oracle() -> None:
    probability = compute_probability(PUBLISHED)
    assert probability == pytest.approx(0.2025, abs=1e-4)

    def find_worst(chance: Callable[[int], float]) -> float:
        return max(expect_ratio(PUBLISHED, times, chance) for times in range(1, 300))

    assert find_worst(lambda _: probability) < 1.62
    assert find_worst(lambda seen: compute_probability(PUBLISHED, seen)) < 1.52
    assert find_worst(lambda _: 1.0) > 3.4
    assert find_worst(lambda _: 0.0) > 3.4


@given(st.floats(1, 30_000), st.floats(1, 1_000), st.integers(1, 4_500_000), st.integers(1, 4_500_000))
def test_longer_renders_and_fewer_bytes_are_stored_more_often(ms: float, more_ms: float, one: int, other: int) -> None:
    policy = StorePolicy(lambda: PRICES)

    def find(billed_ms: float, size_bytes: int) -> float:
        return compute_probability(policy.price(replace(RENDERING, billed_ms=billed_ms, size_bytes=size_bytes)))

    assert find(ms + more_ms, one) >= find(ms, one)
    assert find(ms, min(one, other)) >= find(ms, max(one, other))


def test_where_the_function_reads_the_store_storing_pays_less() -> None:
    by_cdn, by_function = (StorePolicy(lambda: PRICES, cdn_reads=reads) for reads in (True, False))
    chances = [compute_probability(one.price(RENDERING)) for one in (by_cdn, by_function)]
    assert 0 < chances[1] < chances[0]
    assert by_function.price(RENDERING).read == PRICES.price_call(DEFAULT_MEMORY_MB, 28.0, 5)


def test_it_is_drawn_against_the_probability() -> None:
    chance = compute_probability(StorePolicy(lambda: PRICES).price(RENDERING))
    for drawn, is_stored in ((chance - 1e-9, True), (chance, False), (0.999999, False), (0.0, True)):
        assert StorePolicy(lambda: PRICES, draw=lambda drawn=drawn: drawn).chooses(RENDERING) == is_stored  # type: ignore[misc]


def test_misses_of_a_derivative_of_the_same_master_raise_it() -> None:
    first = compute_probability(StorePolicy(lambda: PRICES).price(RENDERING))
    policy = StorePolicy(lambda: PRICES, draw=lambda: first)
    assert not policy.chooses(RENDERING)
    assert not policy.chooses(replace(RENDERING, name="another"))
    assert not policy.chooses(replace(RENDERING, version='"2"'))
    assert policy.chooses(RENDERING)


@given(st.lists(st.integers(0, 20), max_size=200), st.integers(1, 10))
def test_few_derivatives_are_counted(names: list[int], most: int) -> None:
    seen, last = SeenMisses(most), list[int]()
    for name in names:
        earlier = seen.add(name)
        assert earlier <= last.count(name)
        if name in list(dict.fromkeys(reversed(last)))[:most]:
            assert earlier >= 1
        last.append(name)
        assert len(seen) <= most


def test_draws_are_spread_over_the_interval() -> None:
    drawn = [draw_uniform() for _ in range(1_000)]
    assert min(drawn) >= 0
    assert max(drawn) < 1
    assert 0.4 < sum(drawn) / len(drawn) < 0.6


@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", "x86_64"), ("aarch64", "arm64")])
def test_prices_are_those_of_the_price_table(machine: str, architecture: str) -> None:
    table = load_prices().prices
    names = (COMPUTE[architecture], "lambda-requests", "s3-gets", "s3-puts", "s3-gb-months")
    assert load_unit_prices(machine) == UnitPrices(*(table[name].usd_per_unit for name in names))


def test_memory_is_that_of_the_function() -> None:
    assert build_store_policy(cdn_reads=True, environment={MEMORY_MB: "1024"}).memory_mb == 1024
    policy = build_store_policy(cdn_reads=False, environment={})
    assert (policy.memory_mb, policy.cdn_reads) == (DEFAULT_MEMORY_MB, False)
    assert policy.prices() in (load_unit_prices("x86_64"), load_unit_prices("aarch64"))
