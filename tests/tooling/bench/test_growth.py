"""Tests of the growth suites: the simulated shop, the models of queues and limits, prices and charts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pyvips

from bench import page
from bench.growth.bill import MODES, MONTH_S, Bill
from bench.growth.charts import Axis, Line, choose_ticks, draw_drains, draw_misses, draw_year
from bench.growth.drain_model import MAX_POLLERS, compute_drain_s, list_openings_s
from bench.growth.drains import measure_drains
from bench.growth.figures import MissingFigures, read_drains, read_misses, write_figures
from bench.growth.limits import Load, find_bottleneck, find_reached, list_uses, read_limits
from bench.growth.masters import Photograph, mirror_tiles, read_name, scale
from bench.growth.render_times import count_cold_starts, read_times
from bench.growth.shop import DAYS, MASTERS, VARIANTS, Shop, Variant, Year, simulate
from bench.growth.steady_state import compute_steady_state, group_images
from bench.suites import GROUPS, load_suite
from bench.suites.growth_drains import list_modelled
from darkroom_pipeline.operations.cost_model import load_prices

SMALL = Shop(images=2_000, views_a_month=60_000)
EVEN = Shop(
    images=500,
    views_a_month=40_000,
    exponent=0,
    new_share=0,
    refines=False,
    stored_days=1_000,
    variants=(Variant("one", 0.5, "800", preset=False), Variant("two", 0.5, "800", preset=False)),
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
    ],
)
def test_every_view_is_a_cdn_hit_a_store_hit_or_a_render(shop: Shop) -> None:
    year = year_of(shop)
    renders = year.renders.sum(axis=(1, 2, 3))
    assert (year.views == year.cdn_hits + year.store_hits + renders).all()
    assert (year.by_variant.sum(axis=1) == year.views).all()
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


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.0])
def test_the_simulation_agrees_with_the_steady_state(exponent: float) -> None:
    shop = replace(SMALL, images=5_000, views_a_month=200_000, exponent=exponent, new_share=0, refines=False)
    year, state = year_of(shop), compute_steady_state(shop)
    late = slice(185, None)  # two lifetimes of a derivative
    assert year.cdn_hits[late].sum() / year.views[late].sum() == pytest.approx(state.cdn_hit_ratio, abs=0.003)
    assert year.renders[late].sum() / len(year.views[late]) == pytest.approx(state.renders.sum(), rel=0.06)


def test_presets_are_rendered_when_their_first_copy_has_expired() -> None:
    year = year_of(replace(SMALL, new_share=0))
    presets = [at for at, variant in enumerate(VARIANTS) if variant.preset]
    assert year.renders[:90, presets].sum() == 0
    assert year.renders[90, presets].sum() > 0
    others = [at for at in range(len(VARIANTS)) if at not in presets]
    assert year.renders[0, others].sum() > 0


def test_new_images_replace_others_and_are_young() -> None:
    year = year_of(replace(SMALL, new_share=0.1))
    assert year.uploads[0] == 2_000
    assert year.uploads[1:].sum() == pytest.approx(2_000 * 0.1 * 12, rel=0.02)
    old_only = year_of(replace(SMALL, new_share=0)).renders[90:]
    assert old_only[..., 0].sum() == 0
    assert year.renders[90:, ..., 0].sum() > 0


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


@pytest.mark.parametrize(("images", "exponent"), [(10, 0.8), (1_000, 1.0), (50_000, 0.8), (50_000, 1.0), (3_000, 0.0)])
def test_groups_of_ranks_contain_all_images_and_views(images: int, exponent: float) -> None:
    counts, shares = group_images(images, exponent)
    weights = np.arange(1, images + 1) ** -exponent
    assert counts.sum() == pytest.approx(images)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] == pytest.approx(weights[0] / weights.sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("uploads", "workers", "seconds"),
    [(1, 1, 2.0), (10, 1, 20.0), (10, 2, 10.0), (10, 3, 8.0), (4, 8, 2.0)],
)
def test_few_workers_drain_a_queue_in_rounds(uploads: int, workers: int, seconds: float) -> None:
    assert compute_drain_s([2.0] * uploads, workers) == pytest.approx(seconds)


def test_more_workers_start_at_the_pace_of_lambdas_pollers() -> None:
    openings = list_openings_s(2_000)
    assert len(openings) == MAX_POLLERS == 1_250
    assert openings[:6] == pytest.approx([0, 0, 0, 0, 0, 0.2])
    assert sum(opening <= 60 for opening in openings) == 305
    assert compute_drain_s([1.0] * 5_000, 100) > compute_drain_s([1.0] * 5_000, 1_000) > 5_000 / 1_250


def test_a_cold_start_delays_each_workers_first_message() -> None:
    assert compute_drain_s([1.0] * 4, 2, start_s=3.0) == pytest.approx(5.0)


@pytest.mark.slow
def test_a_queue_is_drained_by_the_real_handler() -> None:
    image = pyvips.Image.gaussnoise(300, 200, sigma=30, mean=120, seed=3).cast("uchar").copy(interpretation="b-w")
    [one, two] = measure_drains(image.jpegsave_buffer(), (1, 2), 3, lambda _: None)
    assert (one.workers, two.workers, one.uploads, two.uploads) == (1, 2, 3, 3)
    assert min(one.elapsed_s, two.elapsed_s, one.cpu_ms, two.cpu_ms) > 0


@pytest.mark.parametrize(
    ("arrivals_s", "cold"),
    [
        ([], 0),
        ([0.0], 1),
        ([0.0, 0.1], 2),
        ([0.0, 1.0, 2.0], 1),
        ([0.0, 700.0], 2),
        ([0.0, 0.1, 500.0, 1000.0, 1000.1], 3),
    ],
)
def test_lambda_starts_a_process_if_all_are_busy_or_gone(arrivals_s: list[float], cold: int) -> None:
    assert count_cold_starts(arrivals_s, duration_s=0.5, idle_s=600) == cold


def test_times_between_measured_sizes_are_interpolated() -> None:
    figures = read_misses()
    low, high = figures.find(2, "800"), figures.find(5, "800")
    middle = read_times(figures, 3.5, "800")
    assert middle.cpu_ms == pytest.approx((low.cpu_ms + high.cpu_ms) / 2)
    assert read_times(figures, 2, "800").ms == pytest.approx(sum(low.samples_ms) / len(low.samples_ms))
    assert read_times(figures, 500, "800").cpu_ms == figures.find(120, "800").cpu_ms


def test_a_deployment_reads_mezzanines_where_there_are_any() -> None:
    figures = read_misses()
    for megapixels in (5, 12, 24, 48):
        for output in ("200", "800", "800 AVIF"):
            assert figures.find(megapixels, output, mezzanines=True).mezzanine
            assert not figures.find(megapixels, output).mezzanine
    assert not any(figures.find(megapixels, "800", mezzanines=True).mezzanine for megapixels in (1, 2, 80, 120))
    assert not figures.find(12, "2000", mezzanines=True).mezzanine
    read, master = (read_times(figures, 24, "200", mezzanines=used) for used in (True, False))
    assert read.cpu_ms < master.cpu_ms
    assert len(figures.as_deployed) == len({(one.megapixels, one.output) for one in figures.misses})


def bill_of(shop: Shop, mode: str = "off") -> Bill:
    return Bill(year_of(shop), read_misses(), read_drains(), load_prices(), mode)


def test_delivery_is_priced_by_views_and_bytes() -> None:
    bill = bill_of(SMALL)
    amounts = bill.list_amounts(5)
    views = float(bill.year.monthly(bill.year.views)[5])
    assert amounts["cdn-requests"] == views
    assert amounts["cdn-functions"] == 2 * views
    misses = read_misses()
    sizes = [
        sum(share * misses.find(megapixels, variant.output).image_bytes for megapixels, share in MASTERS.items())
        for variant in VARIANTS
    ]
    assert min(sizes) < amounts["cdn-gb"] * 1e9 / views < max(sizes)
    assert bill.price_month(5)["CloudFront"] == pytest.approx(
        views * (0.01 / 10_000 + 2 * 0.1 / 1e6) + amounts["cdn-gb"] * 0.085
    )


def test_the_services_of_a_bill_are_all_that_is_charged() -> None:
    bill = bill_of(SMALL)
    prices = load_prices()
    for month in (0, 11):
        total = sum(prices.cost(bill.list_amounts(month)).values())
        assert sum(bill.price_month(month).values()) == pytest.approx(total)


def test_more_mezzanines_mean_faster_renders_and_more_storage() -> None:
    off, expiring, kept = (bill_of(SMALL, mode) for mode in MODES)
    assert off.mean_ms(6) > expiring.mean_ms(6) > kept.mean_ms(6)
    storage = [bill.list_amounts(6)["s3-gb-months"] for bill in (off, expiring, kept)]
    assert storage == sorted(storage)
    assert storage[0] < storage[1] < storage[2]


@pytest.mark.slow
def test_re_encodes_are_charged_up_to_what_their_functions_can_do() -> None:
    crowded = bill_of(replace(SMALL, images=20_000_000, views_a_month=100_000, sample=10_000))
    assert crowded.reencode_backlog(0) > 1
    billed_s = crowded._refine_amounts(0)["lambda-arm64-gb-seconds"] / (1769 / 1024)
    assert billed_s == pytest.approx(2 * MONTH_S)


def test_slow_misses_are_a_share() -> None:
    bill = bill_of(SMALL)
    assert all(0 <= bill.share_slow(month) <= 1 for month in range(12))
    assert bill.count_misses(3) == int((bill.year.monthly(bill.year.views) - bill.year.monthly(bill.year.cdn_hits))[3])


def load_of(images: int, views: int) -> Load:
    return Load(Shop(images=images, views_a_month=views), read_misses(), read_drains())


def test_each_limit_has_a_load_that_grows() -> None:
    limits = read_limits()
    assert len({limit.id for limit in limits}) == len(limits)
    small, large = load_of(2_000, 50_000), load_of(200_000_000, 5_000_000_000)
    for limit in limits:
        assert limit.page
        assert limit.kind in {"aws", "template"}
        before, after = (float(getattr(load, limit.load)) for load in (small, large))
        assert before > 0
        assert after > before or not limit.grows


def test_a_limit_is_reached_where_its_load_equals_it() -> None:
    load = load_of(2_000_000, 50_000_000)
    limit = next(one for one in read_limits() if one.id == "cdn-requests")
    reached = find_reached(load, limit)
    assert reached is not None
    assert load.views_a_second * reached == pytest.approx(limit.value, rel=0.01)
    assert find_reached(load, next(one for one in read_limits() if one.id == "kvs")) is None


def test_the_bottleneck_is_the_limit_that_is_used_most_by_default() -> None:
    load, limits = load_of(2_000_000, 50_000_000), read_limits()
    uses = list_uses(load, limits)
    assert [use.share for use in uses] == sorted((use.share for use in uses), reverse=True)
    found = find_bottleneck(load, limits, "aws")
    assert not found.limit.optional
    assert all(use.share <= found.share for use in uses if use.limit.kind == "aws" and not use.limit.optional)


def test_figures_are_stored_by_part(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    with pytest.raises(MissingFigures, match="growth-misses"):
        read_misses(path)
    write_figures("misses", read_misses(), path)
    with pytest.raises(MissingFigures, match="growth-drains"):
        read_drains(path)
    write_figures("drains", read_drains(), path)
    assert (read_misses(path), read_drains(path)) == (read_misses(), read_drains())


@pytest.mark.parametrize(("megapixels", "factor"), [(0.01, 1), (0.5, 3)])
def test_photographs_are_scaled_to_their_megapixels(megapixels: float, factor: int) -> None:
    image = pyvips.Image.gaussnoise(400, 300, seed=1).cast("uchar")
    scaled = scale(image, megapixels)
    assert megapixels * 0.98 < scaled.width * scaled.height / 1e6 <= megapixels
    assert scaled.width / scaled.height == pytest.approx(4 / 3, rel=0.03)
    assert (scaled.width > image.width) == (factor > 1)


def test_mirrored_tiles_have_no_seams() -> None:
    ramp = pyvips.Image.identity().resize(0.25)  # 64 px across
    tiles = mirror_tiles(ramp, 3)
    row = np.asarray(tiles.numpy())[0].ravel().astype(int)
    assert len(row) == 3 * ramp.width
    assert np.abs(np.diff(row)).max() <= np.abs(np.diff(row[: ramp.width])).max()


def test_names_of_masters_name_their_photograph() -> None:
    for photograph in (Photograph(2, 12, "cleaned"), Photograph(0, 120, "pyramid")):
        assert read_name(photograph.name) == photograph


@pytest.mark.parametrize(("most", "last"), [(9, 10), (100, 100), (101, 150), (0.7, 0.8), (450, 500)])
def test_ticks_reach_the_greatest_value(most: float, last: float) -> None:
    ticks = choose_ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] == pytest.approx(last)
    assert len(ticks) <= 6


def test_axes_place_values_by_their_logarithm() -> None:
    axis = Axis("", (), 1, 100, logarithmic=True)
    assert [axis.place(value) for value in (1, 10, 100)] == pytest.approx([0, 0.5, 1])
    assert Axis("", (), 0, 50).place(25) == 0.5


def test_charts_are_valid_and_have_every_line() -> None:
    drains = read_drains()
    months = [Line("CDN hits", [(month, 50.0) for month in range(1, 13)])]
    charts = {
        draw_misses(read_misses()): 8,
        draw_drains(drains, list_modelled(drains, range(1, 9))): 2,
        draw_year(months, months): 2,
    }
    for chart, lines in charts.items():
        root = ET.fromstring(chart)
        paths = [one for one in root.iter() if "line" in one.get("class", "").split() and " L" in one.get("d", "")]
        assert len(paths) == lines


def test_all_growth_suites_write_the_growth_page() -> None:
    text = page.GROWTH_PAGE.read_text(encoding="utf-8")
    for name in GROUPS["growth"]:
        load_suite(name)
        assert page.find_page(name) == page.GROWTH_PAGE
        assert page.find_markers(name).begin in text
    assert page.find_page("requests") == page.PAGE


@pytest.mark.parametrize("suite", ["growth-limits", pytest.param("growth-year", marks=pytest.mark.slow)])
def test_the_page_has_what_the_stored_figures_result_in(suite: str) -> None:
    section = page.format_section(load_suite(suite).measure("full", lambda _: None))
    markers = page.find_markers(suite)
    _, _, rest = page.GROWTH_PAGE.read_text(encoding="utf-8").partition(markers.begin)
    assert rest.partition(markers.end)[0].strip() == section
