"""Tests of the simulated shop: which views the CDN misses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bench.shop import DAYS, MONTHS, NEVER, Misses, Shop, Variant, list_misses

SMALL = Shop(images=2_000, views_a_month=60_000)
EVEN = Shop(
    images=500,
    views_a_month=40_000,
    exponent=0,
    new_share=0,
    variants=(Variant("one", 0.5, preset=False), Variant("two", 0.5, preset=False)),
    regions=(0.5, 0.5),
    retention_days=1_000,
)
"""Uniform popularity, and caches that keep everything."""

PAIRS, OBJECTS = 500 * 2 * 2, 500 * 2


@cache
def misses_of(shop: Shop) -> Misses:
    return list_misses(shop)


def test_misses_are_in_order_and_presets_are_ingested_before() -> None:
    misses = misses_of(SMALL)
    assert (np.diff(misses.days) >= 0).all()
    assert (misses.ingested <= misses.days).all()
    presets = [SMALL.variants[number % len(SMALL.variants)].preset for number in misses.derivatives]
    assert ((misses.ingested > NEVER) == presets).all()


def test_equal_seeds_have_equal_years_and_others_do_not() -> None:
    one, two, other = misses_of(SMALL), list_misses(SMALL), list_misses(replace(SMALL, seed=21))
    assert (one.days == two.days).all()
    assert (one.derivatives == two.derivatives).all()
    assert len(one.days) != len(other.days)


def test_caches_that_keep_everything_miss_each_pair_once() -> None:
    misses = misses_of(EVEN)
    assert len(misses.days) == PAIRS, "each was requested in 480,000 uniform views"
    assert len(np.unique(misses.derivatives)) == OBJECTS


def test_the_first_day_of_uniform_views_has_the_expected_distinct_ones() -> None:
    views = EVEN.views_a_month * MONTHS // DAYS
    expected = PAIRS * (1 - (1 - 1 / PAIRS) ** views)
    assert np.count_nonzero(misses_of(EVEN).days < 1) == pytest.approx(expected, rel=0.03)


def test_a_cache_that_keeps_nothing_misses_each_days_first_views() -> None:
    misses = misses_of(replace(EVEN, retention_days=0))
    expected = PAIRS * (1 - (1 - 1 / PAIRS) ** (EVEN.views_a_month * MONTHS / DAYS))
    assert len(misses.days) / DAYS == pytest.approx(expected, rel=0.01)


def test_new_images_have_numbers_of_their_own() -> None:
    misses = misses_of(replace(EVEN, new_share=0.1))
    images = len(np.unique(misses.derivatives // len(EVEN.variants)))
    assert images == pytest.approx(500 + 500 * 0.1 * 12, rel=0.05)


@pytest.mark.slow
def test_a_sample_has_the_ratios_of_the_whole() -> None:
    shop = replace(SMALL, images=20_000, views_a_month=500_000)
    whole, sampled = misses_of(shop), misses_of(replace(shop, sample=10))
    assert 10 * len(sampled.days) == pytest.approx(len(whole.days), rel=0.01)
    assert 10 * len(np.unique(sampled.derivatives)) == pytest.approx(len(np.unique(whole.derivatives)), rel=0.02)
    with pytest.raises(ValueError, match="no multiple"):
        list_misses(replace(shop, sample=7))
