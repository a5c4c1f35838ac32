"""Tests of bytes at an equal score over many images, without sharp."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bench.goals import read_goals
from bench.photographs.comparing import Compared, Outcome
from bench.photographs.views import (
    BROWSERS,
    MONTH_S,
    PEERS,
    compute_first_share,
    tabulate_views,
    weigh_views,
)
from bench.shop import Shop, Variant
from bench.suites.photographs import AVIF_ALLOWANCE, BEST, KINDS, figures, make_views_figure, text
from darkroom.services.caching import UNREFINED_S


def test_the_mean_is_geometric_and_the_worst_is_named() -> None:
    found = [Compared("a_by_b", 2000, 70.0, 1000), Compared("c", 500, 60.0, 1000), Compared("d", 1080, 60.0, 1000)]
    outcomes = [
        Outcome(form, found, reencoded, kind)
        for kind, (_, forms) in KINDS.items()
        for reencoded in (False, True)
        for form in forms
    ]
    assert outcomes[0].mean == pytest.approx(math.pow(1.08, 1 / 3))
    made = {figure.goal: figure for figure in figures(outcomes)}
    assert made["bytes-avif-worst"].value == 2.0
    assert made["bytes-avif-worst"].why == "2.00, a by b"
    assert set(made) <= set(read_goals())
    assert len(made) == len(outcomes) + 1
    assert read_goals()["bytes-avif-worst"].limit == 1 + AVIF_ALLOWANCE
    assert "| a by b | 2,000 | 70.0 | 2.000 |" in text(outcomes)


def test_the_floor_of_first_responses_is_what_re_encoding_reaches() -> None:
    again = Outcome("webp", [Compared("a", 800, 70.0, 1000)], reencoded=True)
    first, second = figures([Outcome("webp", [Compared("a", 1000, 70.0, 1000)]), again])
    assert first.floor == again.mean
    assert second.floor == pytest.approx(again.mean * BEST["webp"][0])
    assert BEST["webp"][1] in second.why


def test_an_image_that_sharp_cannot_make_as_good_is_shown_and_not_in_the_mean() -> None:
    found = [Compared("a", 900, 70.0, 1000), Compared("lossless", 100, 100.0, 5000, best_score=76.5)]
    graphics = Outcome("webp", found, kind="graphics")
    assert graphics.mean == pytest.approx(0.9)
    assert graphics.worst.name == "a"
    assert "| lossless | 100 | 100.0 | (sharp: at most 76.5) |" in text([graphics])


def test_a_view_is_weighed_by_browser_and_by_what_is_re_encoded() -> None:
    outcomes = [
        Outcome(form, [Compared("a", size_bytes, 70.0, 1), Compared("b", 3 * size_bytes, 70.0, 1)], again)
        for form in BROWSERS
        for again, size_bytes in ((False, 500), (True, 250))
    ]
    graphics = Outcome("avif", [Compared("c", 10**6, 70.0, 1)], kind="graphics")
    defaults = {sent: 2000.0 for formats in PEERS.values() for sent in formats.values()}
    month = weigh_views([*outcomes, graphics], defaults, 0.2)
    assert month.ours == pytest.approx(0.2 * 1000 + 0.8 * 500)
    assert month.ratio == pytest.approx(0.3)
    assert set(month.peers) == set(PEERS)
    assert make_views_figure(month).value == month.ratio
    assert "| Darkroom | 600 | 1.00 |" in tabulate_views(month, 0.2).markdown()


def test_rare_views_are_first_ones() -> None:
    one = (Variant("w=800", 1.0, preset=False),)
    rare = Shop(images=1000, views_a_month=10, exponent=0.0, variants=one)
    assert compute_first_share(rare) == pytest.approx(0.995, abs=0.001)
    often = replace(rare, views_a_month=10_000_000)
    assert compute_first_share(often) == pytest.approx(UNREFINED_S / MONTH_S, rel=0.05)
    usual = replace(rare, views_a_month=10_000)
    assert compute_first_share(replace(usual, exponent=0.8)) < compute_first_share(usual)
    assert sum(BROWSERS.values()) == pytest.approx(1)
