"""The benchmark's arithmetic and what it writes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench.chart import chart
from bench.contenders.model import Contender
from bench.report import INGEST, REQUESTS, Findings, for_page, for_terminal, rows, write_page
from bench.runtime import Invocation
from bench.statistics import Spread
from bench.trial import Case, Result, event, in_turn, stages
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


def test_the_terminal_table_is_aligned(findings: Findings) -> None:
    title, headings, ours, peer, stage_line, *_ = for_terminal(findings).splitlines()
    assert title == "12 MP to 800 (ratios to Node)"
    assert len({len(line) for line in (headings, ours, peer)}) == 1
    assert stage_line.endswith("fetch 27, decode 50")
    assert "Not measured: the moon." in for_terminal(findings)


def test_the_page_keeps_what_is_around_the_markers(findings: Findings, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"above\n{REQUESTS.begin}\nold\n{REQUESTS.end}\nbelow\n", encoding="utf-8")
    for _ in range(2):
        write_page(page, for_page(findings))
        text = page.read_text(encoding="utf-8")
        assert text == f"above\n{REQUESTS.begin}\n\n{for_page(findings)}\n\n{REQUESTS.end}\nbelow\n"
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 4
    assert len({line.count("|") for line in table}) == 1
    assert "- **Node**: what Node is." in text


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks"):
        write_page(page, "new")
    assert page.read_text(encoding="utf-8") == "no markers"


def test_the_projects_page_has_the_markers() -> None:
    text = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    for markers in (REQUESTS, INGEST):
        assert text.count(markers.begin) == text.count(markers.end) == 1
        assert text.index(markers.begin) < text.index(markers.end)


def test_bars_are_in_proportion(findings: Findings) -> None:
    picture = ET.fromstring(chart(findings.results))
    bars = [element for element in picture.iter("{http://www.w3.org/2000/svg}rect") if element.get("y")]
    cold_ours, cold_peer, warm_ours, warm_peer = (float(bar.attrib["width"]) for bar in bars)
    assert cold_ours / cold_peer == pytest.approx(0.5, rel=0.01)
    assert warm_ours / warm_peer == pytest.approx(0.5, rel=0.01)
    assert float(picture.attrib["height"]) >= float(bars[-1].attrib["y"]) + float(bars[-1].attrib["height"])


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
