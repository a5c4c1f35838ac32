"""The worked example and the calculator of the documentation agree with the price table and with each other."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from py_mini_racer import MiniRacer

from bench.cost import PAGE
from bench.cost.__main__ import main
from bench.cost.example import read_misses
from bench.cost.fargate import read_cpu_ms
from bench.cost.flat_rate import find_cheapest_plan
from bench.cost.idle import monthly_amounts
from bench.cost.month import (
    DATA,
    INPUTS,
    MARKERS,
    MEMORY_MB,
    build_lines,
    format_data,
    format_example,
    list_month_offers,
    read_durations,
    sum_cheapest,
    sum_period,
)
from bench.cost.peer_month import compare_month, format_peer_month
from bench.cost.render_cost import RenderTime, billed_ms, billed_start_ms
from bench.page import PAGE as PERFORMANCE
from cli.library.prices import IMAGES, price_ingest, sum_usd
from darkroom_pipeline.operations.cost_model import load_prices, sum_amounts

PRICES = load_prices()
TEXT = PAGE.read_text(encoding="utf-8")
LINES = build_lines(PRICES, TEXT)
CPU_MS = read_cpu_ms(PERFORMANCE.read_text(encoding="utf-8"))
EXAMPLE = {one.name: one.default for one in INPUTS}
SCRIPT = DATA.with_name("calculator.js")


def test_the_page_and_the_script_are_current() -> None:
    shown = TEXT.partition(MARKERS.begin)[2].partition(MARKERS.end)[0]
    peer = format_peer_month(compare_month(PRICES, LINES, TEXT, CPU_MS))
    assert shown.strip() == format_example(PRICES, LINES, peer)
    assert DATA.read_text(encoding="utf-8") == format_data(PRICES, LINES)


def test_the_calculator_computes_what_the_command_prints() -> None:
    engine, draw = MiniRacer(), random.Random(22)
    engine.eval(DATA.read_text(encoding="utf-8") + SCRIPT.read_text(encoding="utf-8"))
    for values in [EXAMPLE, *({one.name: draw.uniform(0, 3 * one.default) for one in INPUTS} for _ in range(50))]:
        found = json.loads(str(engine.eval(f"JSON.stringify(evaluate(MODEL, {json.dumps(values)}))")))
        assert [(one["label"], one["period"]) for one in found] == [(one.label, one.period) for one in LINES]
        assert [one["usd"] for one in found] == pytest.approx([one.usd(values) for one in LINES], rel=1e-12)


def test_the_calculator_compares_the_plans_that_the_command_prints() -> None:
    engine, draw = MiniRacer(), random.Random(37)
    engine.eval(DATA.read_text(encoding="utf-8") + SCRIPT.read_text(encoding="utf-8"))
    examples = [{**EXAMPLE, "views": 10 ** draw.uniform(4, 11)} for _ in range(50)]
    for values in [EXAMPLE, *examples]:
        offers = list_month_offers(PRICES, values)
        found = json.loads(str(engine.eval(f"JSON.stringify(offer(MODEL, {json.dumps(values)}))")))
        assert [one["label"] for one in found] == [one.label for one in offers]
        covered = {one.label: one.usd for one in offers if one.usd is not None}
        assert {one["label"]: one["usd"] for one in found if one["usd"] is not None} == pytest.approx(covered)
        shown = json.loads(str(engine.eval(f"JSON.stringify(choose(offer(MODEL, {json.dumps(values)})))")))
        cheapest = find_cheapest_plan(offers)
        named = [f"cheapest flat-rate plan: {cheapest.label}"] if cheapest else []
        assert [one["label"] for one in shown[2:]] == named
        script = f"sumCheapest(evaluate(MODEL, {json.dumps(values)}), offer(MODEL, {json.dumps(values)}))"
        assert engine.eval(script) == pytest.approx(sum_cheapest(LINES, values, offers))


def test_the_month_beside_that_of_aws_is_the_bill_with_the_cheapest_plan() -> None:
    *parts, together = compare_month(PRICES, LINES, TEXT, CPU_MS)
    cheapest = find_cheapest_plan(list_month_offers(PRICES, EXAMPLE))
    assert cheapest is not None
    assert parts[0].ours == cheapest.usd
    cdn = list_month_offers(PRICES, EXAMPLE)[0].usd
    assert cdn is not None
    assert together.ours == pytest.approx(sum_period(LINES, EXAMPLE, "month") - cdn + parts[0].ours)
    assert together.ours == pytest.approx(sum_cheapest(LINES, EXAMPLE, list_month_offers(PRICES, EXAMPLE)))
    assert together.theirs == pytest.approx(sum(row.theirs for row in parts))
    usd = {row.label: row.theirs for row in parts}
    assert usd["renders"] == pytest.approx(5 * read_misses(TEXT)["once"]["AWS's own"])
    assert usd["storage"] == pytest.approx(2e6 * 2.3e-3 * 0.023)
    assert parts[0].theirs <= parts[0].ours


def test_durations_are_those_that_the_page_has_measured() -> None:
    render_ms, start_ms = read_durations(TEXT)
    work = RenderTime(render_ms, 31.0, start_ms)
    assert billed_ms(work, MEMORY_MB) == render_ms
    assert f"and {billed_start_ms(work, 1024)} ms more for a cold start" in TEXT
    with pytest.raises(ValueError, match="no measurements"):
        read_durations("")


def test_lines_are_by_the_price_table() -> None:
    usd = {one.label: one.usd(EXAMPLE) for one in LINES}
    assert usd["CDN: requests and edge functions"] == pytest.approx(50 + 10)
    assert usd["CDN: delivery"] == pytest.approx(50e6 * 77e-6 * 0.085)
    once = sum_usd(PRICES, price_ingest("arm64", copied=True), IMAGES) * EXAMPLE["images"] / IMAGES
    assert sum_period(LINES, EXAMPLE, "once") == pytest.approx(once)
    nothing = dict.fromkeys(EXAMPLE, 0.0)
    assert f"**{sum_period(LINES, nothing, 'month'):.2f}**" in TEXT  # the row of an idle deployment
    raised = replace(PRICES.prices["cdn-gb"], usd=2 * PRICES.prices["cdn-gb"].usd)
    doubled = build_lines(replace(PRICES, prices={**PRICES.prices, "cdn-gb": raised}), TEXT)
    grown = sum_period(doubled, EXAMPLE, "month") - sum_period(LINES, EXAMPLE, "month")
    assert grown == pytest.approx(usd["CDN: delivery"])


def test_an_input_changes_what_is_printed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    before = DATA.read_text(encoding="utf-8")
    assert main(["month", "--set", "views=0", "--set", "images=0", "--set", "new_images=0"]) == 0
    idle = sum(load_prices().cost(sum_amounts(*monthly_amounts()["essential"].values())).values())
    assert f"| **together, pay-as-you-go** | **0.00** | **{idle:.2f}** |" in capsys.readouterr().out
    assert (DATA.read_text(encoding="utf-8"), PAGE.read_text(encoding="utf-8")) == (before, TEXT)
    with pytest.raises(SystemExit):
        main(["month", "--set", "photos=1"])
    assert "there is no input photos" in capsys.readouterr().err
