"""Tests of the simulation of when storing pays: prices of known misses, the oracle, processes, and access logs."""

from __future__ import annotations

import gzip
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from bench.goals import read_goals
from bench.shop import NEVER, Misses, Shop, list_misses
from bench.storing import Prices, Processes, expect_ratio, price_misses, price_oracle, price_unstored, read_misses
from bench.suites.storing import (
    compare,
    figures,
    find_floor,
    find_worst,
    format_logs,
    format_site,
    list_shops,
    read_prices,
    tabulate_sites,
    tabulate_times,
)
from cloudfront_local.access_log import LogRecord, format_file, format_record
from cloudfront_local.messages import Request, Response
from darkroom.services.serve.store_policy import MissCosts, compute_probability

PRICES = Prices(render=4.0, read=0.5, put=6.0, month=365 / 12 / 10, stored_days=10)
"""Storage costs 0.1 a day."""

SMALL = Shop(images=2_000, views_a_month=60_000, sample=10)


def missed_on(*days: float, ingested: float = NEVER) -> Misses:
    """Misses of one derivative, and one of another on day 100."""
    count = len(days)
    return Misses(np.array([7] * count + [8]), np.array([*days, 100.0]), np.array([ingested] * count + [NEVER]))


def test_known_misses_have_their_prices() -> None:
    misses = missed_on(0, 1, 2, 11)
    assert price_misses(misses, PRICES, lambda *_: False) == 5 * 4
    stored = 2 * (4 + 6 + 1) + 2 * 0.5
    assert price_misses(misses, PRICES, lambda *_: True) == pytest.approx(stored + 4 + 6)
    once = price_misses(misses, PRICES, lambda number, day: (number, day) == (7, 1))
    assert once == pytest.approx(4 + 4 + 7 + 0.5 + 4 + 4)


def test_what_ingest_has_stored_is_read_until_it_expires() -> None:
    misses = missed_on(1, 5, 12, ingested=0)
    assert price_misses(misses, PRICES, lambda *_: False) == 2 * 0.5 + 2 * 4


def test_what_is_never_stored_is_rendered_without_a_read_of_the_store() -> None:
    assert price_unstored(missed_on(0, 1, 2), PRICES, lambda _: False) == 4 * (4 - 0.5)
    presets = missed_on(1, 5, 12, ingested=0)
    assert price_unstored(presets, PRICES, lambda number: number == 7) == 2 * 0.5 + 4 + (4 - 0.5)
    cells = tabulate_times(MissCosts(render=4.0, storing=8.0, read=0.4)).rows
    assert cells[0] == ("once", "3.00", "0.90", *cells[0][3:])


@given(st.lists(st.floats(0, 40), min_size=1, max_size=6), st.floats(1, 9), st.booleans())
def test_the_oracle_is_the_best_of_all_choices(days: list[float], render: float, ingested: bool) -> None:
    misses, prices = missed_on(*sorted(days), ingested=0 if ingested else NEVER), replace(PRICES, render=render)

    def price(choices: tuple[bool, ...]) -> float:
        left = iter(choices)
        return price_misses(misses, prices, lambda *_: next(left))

    best = min(map(price, product((False, True), repeat=len(days) + 1)))
    assert price_oracle(misses, prices) == pytest.approx(best)


def test_processes_store_by_chance_and_remember() -> None:
    costs = MissCosts(render=2.0, storing=4.0, read=1.0)
    processes = Processes(costs, np.random.default_rng(1), 100, count=1, lifetime_days=1.0)
    drawn = [processes.chooses(number, 0.5) for number in range(4_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(compute_probability(costs), abs=0.02)
    often = Processes(costs, np.random.default_rng(1), 100, count=1, lifetime_days=1.0)
    assert [often.chooses(1, 0.5) for _ in range(6)][-1], "its renders have cost what storing does"
    assert Processes(costs, np.random.default_rng(1), 1, is_preset=lambda number: number == 3).chooses(3, 0.0)
    forgetful = Processes(costs, np.random.default_rng(1), 100, count=1, lifetime_days=1.0)
    assert not all(forgetful.chooses(1, float(day)) for day in range(20))


def test_a_shop_is_never_cheaper_than_the_oracle() -> None:
    prices = read_prices()
    found = compare(list_misses(SMALL), prices, SMALL)
    assert found.oracle <= min(found.always, found.chance)
    assert found.oracle <= price_misses(list_misses(SMALL), prices, lambda *_: False)
    assert found.chance <= 2 * min(found.always, found.never)
    assert compare(list_misses(SMALL), prices, SMALL) == found


def test_the_worst_case_is_found() -> None:
    costs = MissCosts(render=3.18, storing=7.99, read=0.40)
    assert find_worst(costs, 0.0) == pytest.approx(3.18 / 0.40, rel=0.2)
    assert find_worst(costs, 1.0) == pytest.approx(11.17 / 3.18)
    assert find_floor(costs) <= find_worst(costs, compute_probability(costs)) < 1.62
    assert expect_ratio(costs, 1, lambda _: 0.5) == pytest.approx((3.18 + 0.5 * 7.99) / 3.18)


@pytest.mark.slow
def test_figures_have_goals() -> None:
    shops = list_shops(sample=20_000)
    prices = read_prices()
    compared = {name: compare(list_misses(shop), prices, shop) for name, shop in shops.items()}
    found = figures(compared, prices)
    assert {one.goal for one in found} <= read_goals().keys()


def test_a_row_has_the_dollars_of_all_images_and_not_of_the_sample() -> None:
    misses, prices = list_misses(SMALL), read_prices()
    found = compare(misses, prices, SMALL)
    row = format_site("a shop", misses, found, SMALL)
    table = tabulate_sites([row])
    cells = dict(zip(table.headings, row, strict=True))
    views = SMALL.views_a_month * 12
    assert cells["CDN hits"] == f"{1 - len(misses.days) * SMALL.sample / views:.1%}"
    assert float(cells["storing all, USD"]) == pytest.approx(found.always * SMALL.sample, rel=0.05)
    assert cells["nothing"].endswith(f"({found.never / found.always:.2f})")


def line(path: str, at_s: float, result: str, status: int = 200) -> str:
    answer = Response(status, CIMultiDict({"X-Cache": f"{result} from cloudfront"}), b"x")
    return format_record(LogRecord(Request("GET", path), answer, "d.example", at_s, 0.01))


def test_misses_are_read_from_logs_of_the_local_cdn(tmp_path: Path) -> None:
    lines = [
        line("/a.jpg", 86_400 * 3, "Miss"),
        line("/a.jpg", 86_400 * 3.5, "Hit"),
        line("/b.jpg", 86_400 * 3.25, "Miss"),
        line("/c.jpg", 86_400 * 3, "Miss", 404),
    ]
    (tmp_path / "one.gz").write_bytes(format_file(lines))
    (tmp_path / "two").write_bytes(gzip.decompress(format_file([line("/a.jpg", 86_400 * 5, "Miss")])))
    misses = read_misses([tmp_path / "two", tmp_path / "one.gz"])
    assert misses.days.tolist() == [0.0, 0.25, 2.0]
    assert misses.derivatives.tolist() == [0, 1, 0]
    assert price_misses(misses, PRICES, lambda *_: False) == 3 * PRICES.render
    assert not len(read_misses([]).days)
    assert "| 3 misses | – | 1.5 |" in format_logs([tmp_path / "two", tmp_path / "one.gz"])
