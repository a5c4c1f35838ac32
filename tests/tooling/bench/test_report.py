"""Tests of the benchmark's arithmetic and reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.cases import Case
from bench.competitors.model import Competitor
from bench.measure import Counts, Result, build_event, order_turns, read_stages
from bench.report import Compared, Findings, format_page, format_rows, format_table, select_results
from bench.runtime import Invocation
from bench.statistics import Spread
from darkroom.plan.canonical import parse_path

CASE = Case("12 MP to 800", "12mp.jpg", 800)


def result(
    name: str, cold_ms: list[float], warm_ms: list[float], size: int = 1234, peak_mb: float = 71.2, **stages_ms: float
) -> Result:
    competitor = Competitor(name, f"what {name} is", ["true"], Path(), {})
    cold = Spread.of(cold_ms) if cold_ms else None
    return Result(competitor, cold, Spread.of(warm_ms), 12.3, peak_mb, stages_ms, b"x" * size, 99.6, 81)


@pytest.fixture
def findings() -> Findings:
    results = [
        result("Darkroom", [100, 300, 200], [80, 90], fetch=27.4, decode=50),
        result("Node", [400, 400, 400], [160, 180]),
    ]
    scores = {(CASE, "Darkroom"): 72.36, (CASE, "Node"): 72.3}
    return Findings({CASE: results}, scores, "Node", ["a machine"], ["the moon."])


def test_a_spread_is_median_least_and_greatest() -> None:
    spread = Spread.of([30, 10, 40, 20])
    assert (spread.median, spread.low, spread.high) == (25, 10, 40)
    assert str(spread) == "25 (10–40)"


def test_a_ratio_is_computed_within_each_turn() -> None:
    """A machine that was three times slower in one turn was so for both."""
    assert Spread.of([50, 150, 40]).ratio_to(Spread.of([100, 300, 100])) == 0.5
    with pytest.raises(ValueError, match="zip"):
        Spread.of([1, 2]).ratio_to(Spread.of([1]))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7], 7),
        ([1, 3], 2),
        ([1, 2, 90], 2),
        ([1, 2, 3, 4, 90], 3),
        ([10, 10, 10, 10, 10, 20, 20, 20, 20, 500], 15),
    ],
)
def test_a_middle_lies_between_two_speeds_and_is_no_extreme(values: list[float], expected: float) -> None:
    assert Spread.of(values).middle == expected
    assert Spread.of(values).ratio_to(Spread.of([1] * len(values))) == expected


@pytest.mark.parametrize(("warm", "processes", "expected"), [(42, 3, [14, 14, 14]), (5, 3, [1, 2, 2]), (5, 1, [5])])
def test_each_process_has_its_share_of_the_requests(warm: int, processes: int, expected: list[int]) -> None:
    assert list(Counts(cold=0, warm=warm, processes=processes).shares) == expected


def test_ratios_are_to_the_baseline(findings: Findings) -> None:
    ours, peer = format_rows(findings, CASE)
    assert ours == (
        "Darkroom",
        "200 (100–300)",
        "0.50",
        "85 (80–90)",
        "0.50",
        "100",
        "12",
        "71",
        "81",
        "72.4",
        "1,234",
        "1,234",
    )
    assert peer[2] == peer[4] == "1.00"


def test_a_page_has_a_table_with_notes_and_says_who_is_who(findings: Findings) -> None:
    text = format_page(findings)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert "Darkroom warm, by its Server-Timing, ms: fetch 27, decode 50" in text
    assert "- **Node**: what Node is." in text
    assert text.endswith("- a machine")


def test_where_nothing_started_cold_the_table_has_no_columns_for_it() -> None:
    warm_only = Findings({CASE: [result("Node", [], [160])]}, {(CASE, "Node"): 70}, "Node", [], [])
    table = format_table(warm_only, CASE)
    assert table.headings[:3] == ("", "warm ms", "ratio")
    assert table.rows[0][:3] == ("Node", "160 (160–160)", "1.00")


def test_without_the_baseline_there_are_no_ratios(findings: Findings) -> None:
    alone = Findings(findings.results, findings.scores, "DIT", [], [])
    assert [row[2] for row in format_rows(alone, CASE)] == ["–", "–"]
    assert select_results(alone, CASE, "Darkroom", "DIT") is None


def test_figures_are_ratios_with_floors_of_the_peers_time(findings: Findings) -> None:
    pair = select_results(findings, CASE, "Darkroom", "Node")
    assert pair is not None
    warm, cold = pair.warm("w", floor_ms=34), pair.cold("c")
    assert (warm.value, warm.least, warm.most, warm.floor, warm.unequal) == (0.5, 0.5, 0.5, 0.2, False)
    assert cold is not None
    assert (cold.value, cold.least, cold.most, cold.floor) == (0.5, 0.25, 0.75, None)
    assert pair.peak("p").value == 1


def test_bytes_are_compared_at_the_very_same_score() -> None:
    theirs = replace(result("Node", [1], [1], 100), equal_bytes=110)
    assert Compared(result("Darkroom", [1], [1], 112), theirs, (70.4, 70.0)).objection == ""
    assert Compared(result("Darkroom", [1], [1], 113), theirs, (70.4, 70.0)).objection.startswith("2.7% more bytes")
    many = Compared(result("Darkroom", [1], [1], 113), theirs, (70.4, 70.0), over_many=1.01)
    assert many.objection == ""


def test_what_was_not_started_cold_has_no_figure_of_it() -> None:
    assert Compared(result("a", [], [1]), result("b", [], [2]), (70, 70)).cold("c") is None


@pytest.mark.parametrize(
    ("scores", "sizes", "allowance", "objection"),
    [
        ((70.0, 70.5), (102, 100), 0.02, ""),
        ((70.0, 70.6), (50, 100), 0.02, "unequal quality: SSIMULACRA2 70.0 to 70.6"),
        ((75.0, 70.0), (102, 100), 0.02, ""),
        ((70.0, 70.0), (103, 100), 0.02, "3.0% more bytes at equal score; allowed: 2%"),
        ((70.0, 70.0), (108, 100), 0.08, ""),
        ((70.0, 70.0), (109, 100), 0.08, "9.0% more bytes at equal score; allowed: 8%"),
    ],
)
def test_images_are_compared_at_equal_quality_and_bytes(
    scores: tuple[float, float], sizes: tuple[int, int], allowance: float, objection: str
) -> None:
    ours, theirs = (result("one", [1], [1], size) for size in sizes)
    pair = Compared(ours, theirs, scores, allowance)
    figure = pair.warm("w", why="waiting")
    assert pair.objection == objection
    assert (figure.why, figure.unequal) == (objection or "waiting", bool(objection))


def test_every_competitor_is_first_equally_often() -> None:
    turns = [order_turns(3, turn) for turn in range(6)]
    assert all(sorted(turn) == [0, 1, 2] for turn in turns)
    assert [turn[0] for turn in turns] == [0, 1, 2, 0, 1, 2]


def test_the_event_requests_the_cases_image() -> None:
    plan = parse_path(build_event(CASE, 7)["rawPath"])
    assert (plan.key, plan.width, plan.format) == ("7/12mp.jpg", 800, "webp")
    assert build_event(CASE, 7)["rawPath"] != build_event(CASE, 8)["rawPath"]


def test_stages_are_medians_of_server_timing() -> None:
    answers = [{"headers": {"server-timing": f"fetch;dur={ms}, decode;dur=5"}} for ms in (9, 1, 2)]
    assert read_stages([Invocation(1, answer) for answer in answers]) == {"fetch": 2, "decode": 5}
    assert read_stages([Invocation(1, {"headers": {}})]) == {}
