"""The page about costs says what its table of prices and the measurements say."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path

import pytest

from bench.contenders.model import Contender
from bench.statistics import Spread
from bench.trial import Result
from darkroom.watch.cost import load, requests_cost
from tools.cost import MARKERS, MEMORY_MB, PAGE, compared, conditions, for_page, priced


def result(name: str, wall_ms: float, cpu_ms: float, size: int) -> Result:
    contender = Contender(name, name, [], Path(), {})
    spread = Spread.of([wall_ms - 9, wall_ms, wall_ms + 99])
    return Result(contender, spread, spread, cpu_ms, 50, {}, b64encode(bytes(size))[:size])


RESULTS = [result("Node", 130, 87, 70_000), result("Darkroom", 150, 66, 76_000)]


def test_designs_are_made_of_what_was_measured() -> None:
    designs = compared(RESULTS)
    assert (designs.ours.work.wall_ms, designs.ours.work.cpu_ms, designs.ours.picture_bytes) == (150, 66, 76_000)
    assert (designs.ours.stores, designs.ours.stored, designs.ours.rest_api) == (True, 0, False)
    assert (designs.found.work, designs.found.stored) == (designs.ours.work, 0.5)
    assert (designs.theirs.work.wall_ms, designs.theirs.stores, designs.theirs.rest_api) == (130, False, True)


def test_the_table_has_a_row_for_each_memory_size() -> None:
    prices, designs = load(), compared(RESULTS)
    table = priced(prices, "a picture", designs, "x86_64")
    assert [row[0] for row in table.rows] == [str(memory_mb) for memory_mb in MEMORY_MB]
    assert {len(row) for row in table.rows} == {len(table.headings)}
    full = table.rows[2]
    assert (full[1], full[4]) == ("150", "130")
    expected = [sum(requests_cost(prices, one, 1769).values()) for one in (designs.ours, designs.found, designs.theirs)]
    assert [float(full[at]) for at in (2, 3, 5)] == pytest.approx(expected, abs=0.005)


def test_the_page_has_its_place_for_the_tables() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(MARKERS.begin) == text.count(MARKERS.end) == 1
    measured = text[text.index(MARKERS.begin) : text.index(MARKERS.end)]
    assert len(re.findall(r"^\| (?:512|1024|1769|3008) \|", measured, re.MULTILINE)) == 2 * len(MEMORY_MB)
    assert f"as read on {load().read.isoformat()}" in measured


def test_the_conditions_are_on_the_page() -> None:
    text = for_page([priced(load(), "a picture", compared(RESULTS), "arm64")], conditions(load(), 0.5))
    assert "### a picture: USD for a million pictures" in text
    assert "1,000,000 requests, 80% answered by the CDN" in text
    assert "Load average before: 0.5" in text
