"""The idle costs on the page agree with the price table."""

from __future__ import annotations

import pytest

from bench.cost import PAGE
from bench.cost.__main__ import main
from bench.cost.idle import MARKERS, PER_RUN, monthly_amounts, table
from darkroom_pipeline.operations.cost_model import load_prices
from observability.alarm_cost import count_resources


def test_the_page_has_the_table() -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKERS.begin)
    assert rest.partition(MARKERS.end)[0].strip() == table(load_prices()), "make alarms"


def test_alarms_are_the_difference_between_levels(capsys: pytest.CaptureFixture[str]) -> None:
    prices, found = load_prices(), monthly_amounts()
    costs = {level: sum(sum(prices.cost(row).values()) for row in rows.values()) for level, rows in found.items()}
    for level in ("essential", "all"):
        assert costs[level] - costs["off"] == pytest.approx(
            sum(prices.cost(count_resources(level, "off").amounts).values())
        )
    assert main(["idle", "--print"]) == 0
    output = capsys.readouterr().out
    assert all(f"**{cost:.2f}**" in output for cost in costs.values())


def test_polling_of_one_queue_by_hand() -> None:
    """Five long polls of 20 s at any time are 657,000 receives in 730 hours, for $0.26."""
    usd = sum(load_prices().cost(PER_RUN["polling of idle queues"]).values())
    assert usd == pytest.approx(3 * 657_000 * 0.40 / 1e6)


def test_each_row_has_a_value_for_each_level() -> None:
    assert {line.count("|") for line in table(load_prices()).splitlines()} == {6}
