"""Tests of the simulated shop, and of the prices of its misses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from bench.shop import DAYS, VARIANTS, Shop, Variant, Year, simulate
from bench.suites.growth import price_misses, tabulate_months

SMALL = Shop(images=2_000, views_a_month=60_000, refines=True)
EVEN = Shop(
    images=500,
    views_a_month=40_000,
    exponent=0,
    new_share=0,
    refines=False,
    stored_days=1_000,
    variants=(Variant("one", 0.5, preset=False), Variant("two", 0.5, preset=False)),
    regions=(0.5, 0.5),
    retention_days=1_000,
    ttl_days=1_000,
)
"""Uniform popularity, caches and a store that keep everything."""

PAIRS, OBJECTS = 500 * 2 * 2, 500 * 2


@cache
def year_of(shop: Shop) -> Year:
    return simulate(shop)


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "shop",
    [
        SMALL,
        EVEN,
        replace(SMALL, ttl_days=3),
        replace(SMALL, retention_days=0, refines=False),
        replace(SMALL, sample=10, stored_days=20),
        replace(SMALL, new_share=0.5),
        replace(SMALL, stores=False, refines=False),
    ],
)
def test_every_view_is_a_cdn_hit_a_store_hit_or_a_render(shop: Shop) -> None:
    year = year_of(shop)
    renders = year.renders.sum(axis=1)
    assert (year.views == year.cdn_hits + year.store_hits + renders).all()
    assert min(year.cdn_hits.min(), year.store_hits.min(), year.renders.min()) >= 0
    assert abs(int(year.views.sum()) - 12 * shop.views_a_month) <= shop.sample * DAYS


@pytest.mark.slow
def test_equal_seeds_have_equal_years_and_others_do_not() -> None:
    one, two, other = simulate(SMALL), simulate(SMALL), simulate(replace(SMALL, seed=21))
    assert (one.renders == two.renders).all()
    assert (one.cdn_hits == two.cdn_hits).all()
    assert not (one.cdn_hits == other.cdn_hits).all()


def test_caches_that_keep_everything_miss_each_pair_once() -> None:
    year = year_of(EVEN)
    misses = int((year.views - year.cdn_hits).sum())
    assert misses == PAIRS, "each was requested in 480,000 uniform views"
    assert int(year.renders.sum()) == OBJECTS
    assert int(year.stored[-1]) == OBJECTS


def test_the_first_day_of_uniform_views_has_the_expected_distinct_ones() -> None:
    year = year_of(EVEN)
    views = int(year.views[0])
    expected = PAIRS * (1 - (1 - 1 / PAIRS) ** views)
    assert int((year.views - year.cdn_hits)[0]) == pytest.approx(expected, rel=0.03)


def test_a_cache_that_keeps_nothing_misses_each_days_first_views() -> None:
    year = year_of(replace(EVEN, retention_days=0))
    expected = PAIRS * (1 - (1 - 1 / PAIRS) ** (EVEN.views_a_month * 12 / DAYS))
    assert float((year.views - year.cdn_hits).mean()) == pytest.approx(expected, rel=0.01)
    assert int(year.renders.sum()) == OBJECTS


def test_a_time_to_live_of_a_day_is_like_a_cache_that_keeps_nothing() -> None:
    nothing, a_day = year_of(replace(EVEN, retention_days=0)), year_of(replace(EVEN, ttl_days=1))
    assert (nothing.cdn_hits == a_day.cdn_hits).all()


def test_presets_are_rendered_when_their_first_copy_has_expired() -> None:
    year = year_of(replace(SMALL, new_share=0))
    presets = [at for at, variant in enumerate(VARIANTS) if variant.preset]
    assert year.renders[:90, presets].sum() == 0
    assert year.renders[90, presets].sum() > 0
    others = [at for at in range(len(VARIANTS)) if at not in presets]
    assert year.renders[0, others].sum() > 0


def test_new_images_replace_others() -> None:
    year = year_of(replace(SMALL, new_share=0.1))
    assert year.uploads[0] == 2_000
    assert year.uploads[1:].sum() == pytest.approx(2_000 * 0.1 * 12, rel=0.02)


def test_re_encoding_costs_requests_of_the_store() -> None:
    without = year_of(replace(SMALL, refines=False, new_share=0))
    with_it = year_of(replace(SMALL, new_share=0))
    assert with_it.store_hits.sum() > without.store_hits.sum()
    assert with_it.renders.sum() == pytest.approx(without.renders.sum(), rel=0.02)


@pytest.mark.slow
def test_a_sample_has_the_ratios_of_the_whole() -> None:
    shop = replace(SMALL, images=20_000, views_a_month=500_000)
    whole, sampled = year_of(shop), year_of(replace(shop, sample=10))
    for counts in ("cdn_hits", "store_hits"):
        assert getattr(sampled, counts).sum() == pytest.approx(getattr(whole, counts).sum(), rel=0.01)
    assert sampled.renders.sum() == pytest.approx(whole.renders.sum(), rel=0.02)
    with pytest.raises(ValueError, match="no multiple"):
        simulate(replace(shop, sample=7))


def test_without_storing_each_region_renders_and_nothing_is_stored() -> None:
    year = year_of(replace(EVEN, stores=False))
    assert int(year.renders.sum()) == PAIRS
    assert (int(year.store_hits.sum()), int(year.stored[-1])) == (0, 0)


def test_storing_pays_for_what_is_missed_often() -> None:
    often, once = (
        replace(EVEN, retention_days=0, views_a_month=views, images=images)
        for views, images in ((40_000, 500), (1_000, 100_000))
    )
    costs = [
        [price_misses(year_of(replace(shop, stores=stores))) for stores in (True, False)] for shop in (often, once)
    ]
    assert costs[0][0] < costs[0][1] / 3
    assert costs[1][0] > costs[1][1]


def test_the_months_add_up_to_the_year() -> None:
    table = tabulate_months(year_of(EVEN))
    assert len(table.rows) == 13
    assert sum(float(row[1]) for row in table.rows[:-1]) == pytest.approx(float(table.rows[-1][1]), abs=0.6)
