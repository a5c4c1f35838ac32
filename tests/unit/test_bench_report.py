"""The benchmark's arithmetic and what it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cases import Case
from bench.contenders.model import Contender
from bench.report import Findings, rows
from bench.runtime import Invocation
from bench.statistics import Spread
from bench.trial import Result, event, in_turn, stages
from darkroom.plan.canonical import parse_path

CASE = Case("12 MP to 800", "12mp.jpg", 800)


def result(name: str, cold_ms: list[float], warm_ms: list[float], **stages_ms: float) -> Result:
    contender = Contender(name, f"what {name} is", ["true"], Path(), {})
    return Result(contender, Spread.of(cold_ms), Spread.of(warm_ms), 12.3, 71.2, stages_ms, b"x" * 1234)


@pytest.fixture
def findings() -> Findings:
    results = [
        result("Darkroom", [100, 300, 200], [80, 90], fetch=27.4, decode=50),
        result("Node", [400, 400, 400], [160, 180]),
    ]
    ssim = {(CASE, "Darkroom"): 0.9236, (CASE, "Node"): 0.9}
    return Findings({CASE: results}, ssim, "Node", ["a machine"], ["the moon."])


def test_a_spread_is_median_least_and_greatest() -> None:
    spread = Spread.of([30, 10, 40, 20])
    assert (spread.median, spread.low, spread.high) == (25, 10, 40)
    assert str(spread) == "25 (10–40)"


def test_a_ratio_is_taken_within_each_turn() -> None:
    """A machine that was three times slower in one turn was so for both."""
    assert Spread.of([50, 150, 40]).ratio_to(Spread.of([100, 300, 100])) == 0.5
    with pytest.raises(ValueError, match="zip"):
        Spread.of([1, 2]).ratio_to(Spread.of([1]))


def test_ratios_are_to_the_baseline(findings: Findings) -> None:
    ours, peer = rows(findings, CASE)
    assert ours == ("Darkroom", "200 (100–300)", "0.50", "85 (80–90)", "0.50", "12", "71", "1,234", "0.924")
    assert peer[2] == peer[4] == "1.00"


def test_every_contender_is_first_equally_often() -> None:
    turns = [in_turn(3, turn) for turn in range(6)]
    assert all(sorted(turn) == [0, 1, 2] for turn in turns)
    assert [turn[0] for turn in turns] == [0, 1, 2, 0, 1, 2]


def test_the_event_asks_for_the_cases_picture() -> None:
    plan = parse_path(event(CASE, 7)["rawPath"])
    assert (plan.key, plan.width, plan.format) == ("7/12mp.jpg", 800, "webp")
    assert event(CASE, 7)["rawPath"] != event(CASE, 8)["rawPath"]


def test_stages_are_medians_of_server_timing() -> None:
    answers = [{"headers": {"server-timing": f"fetch;dur={ms}, decode;dur=5"}} for ms in (9, 1, 2)]
    assert stages([Invocation(1, answer) for answer in answers]) == {"fetch": 2, "decode": 5}
    assert stages([Invocation(1, {"headers": {}})]) == {}
