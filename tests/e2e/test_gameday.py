"""A short rehearsal: S3 throttles, and a storm of misses comes. The long ones are ``make gameday``."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.report import write
from gameday.run import run
from gameday.scenarios.storm import Storm
from gameday.scenarios.throttle import Throttle
from gameday.stage import NoStage, running
from tests.e2e.conftest import Stack


def test_alarm_remedy_and_report(stack: Stack, tmp_path: Path) -> None:
    world = running(stack.state)
    scenarios = [Throttle(to_the_end=False), Storm()]
    throttled, stormed = plays = run(world, scenarios, print)
    assert [play.fault for play in plays] == ["", ""]
    assert [mark.kind for mark in throttled.marks] == ["break", "alarm", "clear"]
    assert throttled.facts["pages"] == "1"
    assert throttled.facts["status while S3 throttles"] == "503"
    assert stormed.facts["a preset while it is on"] == "200"
    assert stormed.facts["a variant while it is on"].startswith("503 presets-only, Retry-After ")
    report = tmp_path / "report.html"
    write(report, world, list(zip(scenarios, plays, strict=True)), throttled.begun_s)
    text = report.read_text(encoding="utf-8")
    assert "All 2 scenarios passed" in text
    assert text.count('class="series') == sum(len(one.figures) for scenario in scenarios for one in scenario.shown)


def test_without_a_stack_there_is_no_stage(tmp_path: Path) -> None:
    with pytest.raises(NoStage):
        running(tmp_path)
