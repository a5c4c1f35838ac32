"""Costs of bulk jobs on the page agree with the price table and the counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.cost import PAGE, libraries
from bench.cost.libraries import tabulate_operations
from bench.cost.misses import LIBRARY_MARKERS, LIBRARY_PROCESSOR
from cli.library.prices import IMAGES, price_conducting, price_presets
from darkroom.plan.presets import load_default_presets
from darkroom_pipeline.bulk.messages import BATCH_SIZE
from darkroom_pipeline.operations.cost_model import load_prices

PRICES = load_prices()


def test_the_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8").partition(LIBRARY_MARKERS.begin)[2].partition(LIBRARY_MARKERS.end)[0]
    assert text.strip() == libraries.format_page(PRICES, LIBRARY_PROCESSOR)


def test_the_presets_that_are_priced_are_those_that_ingest_makes() -> None:
    assert len(load_default_presets().build_ingest_plans("any.jpg")) == libraries.PRESETS


def test_a_batch_shares_its_transitions() -> None:
    assert price_conducting("arm64", 0.0)["state-transitions"] * BATCH_SIZE == pytest.approx(2)


def test_a_row_is_the_sum_of_its_parts() -> None:
    for _, *parts, together in tabulate_operations(PRICES, "arm64").rows:
        assert sum(map(float, parts)) == pytest.approx(float(together), abs=0.03)


def test_the_price_of_puts_counts_for_each_preset() -> None:
    raised = replace(PRICES.prices["s3-puts"], usd=PRICES.prices["s3-puts"].usd * 2)
    twice = replace(PRICES, prices={**PRICES.prices, "s3-puts": raised})
    amounts = price_presets("arm64")
    grown = libraries.sum_usd(twice, amounts) - libraries.sum_usd(PRICES, amounts)
    assert grown == pytest.approx(amounts["s3-puts"] * IMAGES * PRICES.prices["s3-puts"].usd_per_unit)
    assert amounts["s3-puts"] > libraries.PRESETS
