"""A short game day: S3 throttling and a traffic spike. ``make gameday`` runs all scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.isolated_stack import running
from gameday.report import write_report
from gameday.run import run_scenarios
from gameday.scenarios.throttle import Throttle
from gameday.scenarios.traffic_spike import TrafficSpike
from local import isolated_stack


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start an isolated stack: failures of other tests use up budget for hours, and keep alarms on."""
    with isolated_stack.run_stack(tmp_path_factory.mktemp("gameday"), "--no-watch", "--no-inference") as stack:
        yield stack.state


def test_alarm_remedy_and_report(state: Path, tmp_path: Path) -> None:
    environment = running(state)
    scenarios = [Throttle(wait_until_ok=False), TrafficSpike()]
    throttled, spike = runs = run_scenarios(environment, scenarios, print)
    assert [run.fault for run in runs] == ["", ""]
    assert [mark.kind for mark in throttled.marks] == ["break", "alarm", "clear"]
    assert throttled.facts["pages"] == "1"
    assert throttled.facts["status while S3 throttles"] == "503"
    assert spike.facts["preset under load shedding"] == "200"
    assert spike.facts["variant under load shedding"].startswith("503 presets-only, Retry-After ")
    report = tmp_path / "report.md"
    write_report(report, list(zip(scenarios, runs, strict=True)), throttled.begun_s)
    assert "All 2 scenarios passed" in report.read_text(encoding="utf-8")


def test_without_a_stack_there_is_no_stage(tmp_path: Path) -> None:
    with pytest.raises(isolated_stack.StackError, match="No stack runs in"):
        running(tmp_path)
