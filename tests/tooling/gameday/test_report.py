"""Tests of the report."""

from __future__ import annotations

from types import SimpleNamespace

from gameday.report import format_report
from gameday.scenario_run import Mark, Scenario, ScenarioRun
from gameday.scenarios import ALL

MARKS = [Mark(1120.0, "alarm", "<it> goes | off"), Mark(1060.0, "break", "it breaks"), Mark(1300.0, "clear", "mended")]


def played(title: str, fault: str = "") -> tuple[Scenario, ScenarioRun]:
    run = ScenarioRun(SimpleNamespace(), title, print, marks=MARKS, facts={"pages": "1"}, fault=fault)  # type: ignore[arg-type]
    return ALL["backlog"], run  # type: ignore[return-value]


def test_the_report_says_which_failed_and_why() -> None:
    text = format_report([played("One"), played("Two", "the alarm <x> did not go off")], 1000.0, 1725.0)
    assert "1 of 2 scenarios failed, in 12 min 5 s" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## One: passed", "## Two: failed"]
    assert "```\nthe alarm <x> did not go off\n```" in text
    assert "All 1 scenarios passed" in format_report([played("One")], 1000.0, 1600.0)


def test_events_are_in_their_order_with_what_happened() -> None:
    lines = format_report([played("One")], 1000.0, 1725.0).splitlines()
    start = lines.index("| --- | --- | --- |") + 1
    assert lines[start : start + 3] == [
        "| 00:17:40 | failure injected | it breaks |",
        "| 00:18:40 | detected | <it> goes \\| off |",
        "| 00:21:40 | cleared | mended |",
    ]
    assert "| pages | 1 |" in lines
