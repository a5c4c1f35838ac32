"""The worked example and the calculator of the documentation agree with the price table and with each other."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from py_mini_racer import MiniRacer

from bench.cost import PAGE
from bench.cost.__main__ import main
from bench.cost.bills import CostModel, list_bills
from bench.cost.calculator import DATA, format_data
from bench.cost.example import read_misses
from bench.cost.fargate import read_cpu_ms
from bench.cost.flat_rate import find_cheapest_plan
from bench.cost.idle import monthly_amounts
from bench.cost.inputs import DEFAULTS, INPUTS, read_inputs
from bench.cost.month import (
    MARKERS,
    MEMORY_MB,
    build_lines,
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
EXAMPLE = DEFAULTS
MODEL = CostModel(PRICES, LINES, TEXT, CPU_MS)
SCRIPT = DATA.with_name("calculator.js")


def test_the_page_and_the_script_are_current() -> None:
    shown = TEXT.partition(MARKERS.begin)[2].partition(MARKERS.end)[0]
    peer = format_peer_month(compare_month(PRICES, LINES, TEXT, CPU_MS))
    assert shown.strip() == format_example(PRICES, LINES, peer)
    assert DATA.read_text(encoding="utf-8") == format_data(MODEL)


@pytest.fixture(scope="module")
def engine() -> Iterator[MiniRacer]:
    with MiniRacer() as started:  # an engine that is left to the interpreter's end may wait for its thread forever
        started.eval(DATA.read_text(encoding="utf-8") + SCRIPT.read_text(encoding="utf-8"))
        yield started


def ask(engine: MiniRacer, function: str, *arguments: object) -> Any:
    """Call a function of the script with the model."""
    given = ", ".join(("MODEL", *map(json.dumps, arguments)))
    return json.loads(str(engine.eval(f"JSON.stringify({function}({given}))")))


def draw_values(seed: int) -> list[dict[str, float]]:
    """Return the example, and inputs from small sites to those beyond all plans."""
    draw = random.Random(seed)
    scaled = ({name: value * 10 ** draw.uniform(-4, 1) for name, value in EXAMPLE.items()} for _ in range(50))
    drawn = ({**one, "views": 10 ** draw.uniform(4, 11), "endpoint_hours": draw.uniform(0, 730)} for one in scaled)
    return [dict(EXAMPLE), dict.fromkeys(EXAMPLE, 0.0), *drawn]


def test_the_calculator_computes_what_the_command_prints(engine: MiniRacer) -> None:
    for values in draw_values(22):
        found = ask(engine, "evaluate", values)
        assert [(one["label"], one["period"]) for one in found] == [(one.label, one.period) for one in LINES]
        assert [one["usd"] for one in found] == pytest.approx([one.usd(values) for one in LINES], rel=1e-12)


def test_the_calculator_compares_the_plans_that_the_command_prints(engine: MiniRacer) -> None:
    for values in draw_values(37):
        offers = list_month_offers(PRICES, values)
        found = ask(engine, "offer", values)
        assert [one["label"] for one in found] == [one.label for one in offers]
        for shown, one in zip(found, offers, strict=True):
            assert (shown["parts"] is None) == (one.parts is None)
            assert one.parts is None or shown["parts"] == pytest.approx(one.parts, abs=1e-9)


def test_the_calculator_prices_each_service_as_the_command_does(engine: MiniRacer) -> None:
    plans = set()
    for values in draw_values(41):
        bills = list_bills(MODEL, values)
        found = ask(engine, "listBills", values)
        assert [(one["service"], one["plan"]) for one in found] == [(one.service, one.plan) for one in bills]
        for shown, bill in zip(found, bills, strict=True):
            assert (shown["parts"] is None) == (bill.parts is None)
            assert bill.parts is None or shown["parts"] == pytest.approx(bill.parts, abs=1e-9)
            assert shown["credits"] == pytest.approx(bill.credits)
        plans |= {(one.service, one.plan) for one in bills}
    assert len(plans) > 15, "the inputs reach few plans"


def test_bills_are_those_of_the_worked_example() -> None:
    together = compare_month(PRICES, LINES, TEXT, CPU_MS)[-1]
    bills = list_bills(MODEL)
    assert [one.usd for one in bills[:3]] == pytest.approx(together[1:])
    assert [one.usd for one in bills[3:]] == [None, None], "3,850 GB a month exceed all plans with a public price"
    small = {**EXAMPLE, "images": 20_000.0, "new_images": 100.0, "views": 2e6}
    cloudinary, imgix = list_bills(MODEL, small)[3:]
    stored, derivatives = 2.3e-3 * 20_000, 77e-6 * 20_000 * 0.25 * 4
    assert cloudinary.credits == pytest.approx(154 + stored + derivatives + 400 / 1000)
    assert (cloudinary.plan, cloudinary.usd) == ("Plus", 99)
    renders = 20_000 * 0.25 * 4 / 3 + 400
    assert imgix.credits == pytest.approx(1.1 * 154 + 2 * derivatives + renders / 500)
    assert (imgix.plan, imgix.usd) == ("Basic", pytest.approx(75 + stored * 0.023 + renders * 4e-7))


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"views": "1e6"}, "views", 1e6),
        ({"requests_a_second": "20"}, "views", 20 * 730 * 3600),
        ({"delivery_gb": "3850"}, "image_kb", 77),
        ({"views": "4000000", "delivery_tb": "0.5"}, "image_kb", 125),
        ({"miss_percent": "100"}, "miss_percent", 100),
    ],
)
def test_units_are_alternatives(engine: MiniRacer, given: dict[str, str], name: str, value: float) -> None:
    assert read_inputs([f"{key}={text}" for key, text in given.items()])[name] == pytest.approx(value)
    found = read_in_browser(engine, given)
    assert (found["values"][name], found["errors"]) == (pytest.approx(value), {})


@pytest.mark.parametrize(
    ("given", "name", "message"),
    [
        ({"images": "many"}, "images", "Enter a number"),
        ({"images": ""}, "images", "Enter a number"),
        ({"images": "0x10"}, "images", "Enter a number"),
        ({"images": "nan"}, "images", "Enter a number"),
        ({"views": "-1"}, "views", "Enter 0 or more."),
        ({"views": "1e13"}, "views", "Enter at most 1,000,000,000,000."),
        ({"requests_a_second": "1e9"}, "views", "Enter at most 380,517.504."),
        ({"miss_percent": "100.5"}, "miss_percent", "Enter at most 100."),
        ({"views": "1000", "delivery_tb": "4"}, "image_kb", "Enter at most 0.1: 100,000 kB an image."),
        ({"views": "0", "delivery_gb": "4"}, "image_kb", "There are no views."),
    ],
)
def test_nonsense_is_refused(engine: MiniRacer, given: dict[str, str], name: str, message: str) -> None:
    with pytest.raises(ValueError):
        read_inputs([f"{key}={text}" for key, text in given.items()])
    found = read_in_browser(engine, given)
    assert list(found["errors"]) == [name]
    assert found["errors"][name].startswith(message)


def test_an_input_has_one_unit() -> None:
    with pytest.raises(ValueError, match="views is given in two units"):
        read_inputs(["views=5", "requests_a_second=1"])


def read_in_browser(engine: MiniRacer, given: dict[str, str]) -> Any:
    units = {unit.name: one.name for one in INPUTS for unit in one.units}
    texts = {one.name: f"{one.default:,}" for one in INPUTS}
    texts |= {units.get(key, key): text for key, text in given.items()}
    return ask(engine, "readInputs", texts, {units.get(key, key): key for key in given})


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
