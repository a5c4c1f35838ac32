"""Run a short game day: S3 throttling and a burst of cache misses. ``make gameday`` runs the long one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.isolated_stack import running
from gameday.report import write_report
from gameday.run import run
from gameday.scenarios.storm import TrafficSpike
from gameday.scenarios.throttle import Throttle
from local import isolated_stack


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a stack of its own: what others break burns budget for hours, and an alarm that rings cannot go off."""
    with isolated_stack.running(tmp_path_factory.mktemp("gameday"), "--no-watch", "--no-inference") as stack:
        yield stack.state


def test_alarm_remedy_and_report(state: Path, tmp_path: Path) -> None:
    world = running(state)
    scenarios = [Throttle(to_the_end=False), TrafficSpike()]
    throttled, stormed = plays = run(world, scenarios, print)
    assert [play.fault for play in plays] == ["", ""]
    assert [mark.kind for mark in throttled.marks] == ["break", "alarm", "clear"]
    assert throttled.facts["pages"] == "1"
    assert throttled.facts["status while S3 throttles"] == "503"
    assert stormed.facts["a preset while it is on"] == "200"
    assert stormed.facts["a variant while it is on"].startswith("503 presets-only, Retry-After ")
    report = tmp_path / "report.html"
    write_report(report, world, list(zip(scenarios, plays, strict=True)), throttled.begun_s)
    text = report.read_text(encoding="utf-8")
    assert "All 2 scenarios passed" in text
    assert text.count('class="series') == sum(len(one.figures) for scenario in scenarios for one in scenario.shown)


def test_without_a_stack_there_is_no_stage(tmp_path: Path) -> None:
    with pytest.raises(isolated_stack.NoStack, match="No stack runs in"):
        running(tmp_path)
