"""Tests of the order of phases and of failing scenarios, without a stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import cast

import pytest

from cli import runbooks
from cli.local_stack import STATE
from gameday.command import run_darkroom
from gameday.environment import Environment, strip_stack_name
from gameday.run import run_scenarios
from gameday.runbook import find_block, run_runbook
from gameday.scenario_run import PHASES, Phase, ScenarioRun
from gameday.scenarios import ALL
from gameday.scenarios.backlog import Backlog
from gameday.scenarios.bulk_import import BulkImport
from gameday.scenarios.canary import Canary
from gameday.scenarios.drift import Drift
from gameday.scenarios.endpoint import DeadEndpoint
from gameday.scenarios.slow_endpoint import SlowEndpoint
from gameday.scenarios.throttle import Throttle
from gameday.scenarios.traffic_spike import TrafficSpike
from gameday.scenarios.training import Training
from gameday.wait_for import WaitTimeout, require, wait_until
from tests.waiting import HANG_S

CLASSES = (Backlog, BulkImport, Canary, DeadEndpoint, Drift, SlowEndpoint, Throttle, TrafficSpike, Training)

NOWHERE = Environment(
    {"aws_endpoint_url": "http://127.0.0.1:9", "sagemaker_url": "", "region": "us-east-1", "stack_name": "none"},
    STATE,
)


@dataclass
class RecordedScenario:
    """A scenario that records its phases in ``calls``, and fails in ``fails``."""

    name: str
    calls: list[str]
    after: tuple[tuple[str, Phase], ...] = ()
    fails: tuple[Phase, ...] = ()
    fault: Exception = field(default_factory=lambda: WaitTimeout("no alarm"))
    awaits: Event | None = None

    @property
    def title(self) -> str:
        return self.name

    def _do(self, phase: Phase) -> None:
        if self.awaits is not None:
            assert self.awaits.wait(HANG_S)
        self.calls.append(f"{self.name} {phase}")
        if phase in self.fails:
            raise self.fault

    def prepare(self, run: ScenarioRun) -> None:
        self._do("prepare")

    def inject(self, run: ScenarioRun) -> None:
        self._do("break")

    def expect(self, run: ScenarioRun) -> None:
        self._do("expect")

    def clear(self, run: ScenarioRun) -> None:
        self._do("clear")

    def verify(self, run: ScenarioRun) -> None:
        self._do("verify")


def log_nothing(_: str) -> None:
    """Discard a message."""


def test_phases_run_in_order() -> None:
    calls: list[str] = []
    [run] = run_scenarios(NOWHERE, [RecordedScenario("a", calls)], log_nothing)
    assert calls == [f"a {phase}" for phase in PHASES]
    assert (run.fault, run.title) == ("", "a")
    assert run.ended_s >= run.begun_s


@pytest.mark.parametrize("failing", ["prepare", "break", "expect"])
def test_a_failure_is_cleared_even_if_undetected(failing: Phase) -> None:
    calls: list[str] = []
    [run] = run_scenarios(NOWHERE, [RecordedScenario("a", calls, fails=(failing,))], log_nothing)
    assert calls == [f"a {phase}" for phase in (*PHASES[: PHASES.index(failing) + 1], "clear")]
    assert run.fault == "no alarm"


def test_the_first_fault_is_reported_and_others_run() -> None:
    calls: list[str] = []
    bad = RecordedScenario("a", calls, fails=("break", "clear"), fault=KeyError("darkroom-x"))
    runs = run_scenarios(NOWHERE, [bad, RecordedScenario("b", [])], log_nothing)
    assert runs[0].fault.startswith("KeyError('darkroom-x')")
    assert runs[1].fault == ""


def test_one_begins_after_the_phases_that_it_waits_for() -> None:
    calls: list[str] = []
    gate = Event()
    first, second = (
        RecordedScenario("a", calls, awaits=gate),
        RecordedScenario("b", calls, after=(("a", "clear"), ("elsewhere", "clear"))),
    )

    def log(_: str) -> None:
        gate.set()

    gate.set()
    run_scenarios(NOWHERE, [second, first], log)
    assert calls.index("a clear") < calls.index("b prepare")


def test_one_that_failed_lets_others_begin() -> None:
    calls: list[str] = []
    run_scenarios(
        NOWHERE,
        [RecordedScenario("b", calls, after=(("a", "verify"),)), RecordedScenario("a", calls, fails=("prepare",))],
        log_nothing,
    )
    assert calls[-1] == "b verify"


def test_waiting_ends_with_what_is_not_so() -> None:
    assert wait_until(lambda: "so", "it", 0.0) == "so"
    with pytest.raises(WaitTimeout, match="the lamp is lit"):
        wait_until(lambda: 0, "the lamp is lit", 0.0, 0.0)
    with pytest.raises(WaitTimeout, match="lit"):
        require([], "lit")


@dataclass
class AlarmHistory:
    """An environment whose alarms, or audit log, have the given history."""

    past: list[dict[str, object]]

    def changes(self) -> list[dict[str, object]]:
        return self.past

    def audit(self) -> list[dict[str, object]]:
        return self.past

    def alarms(self) -> dict[str, dict[str, object]]:
        return {"drift": {"state": "OK"}}


def change(at_s: float, after: str, name: str = "drift") -> dict[str, object]:
    before = "OK" if after == "ALARM" else "ALARM"
    return {"at_s": at_s, "name": name, "from": before, "to": after}


def run_with_history(*past: dict[str, object]) -> ScenarioRun:
    return ScenarioRun(cast(Environment, AlarmHistory(list(past))), "a", log_nothing, begun_s=100.0)


def test_an_alarm_of_before_or_of_another_name_does_not_count() -> None:
    run = run_with_history(change(99, "ALARM"), change(150, "ALARM", "else"), change(160, "ALARM"), change(170, "OK"))
    assert run.list_alarm_times("drift") == [160]
    run.wait_for_alarm("drift", 0)
    run.wait_for_ok("drift", 0)
    assert [(mark.kind, mark.at_s) for mark in run.marks] == [("alarm", 160), ("clear", 170)]


def test_an_alarm_that_went_off_twice_is_a_fault() -> None:
    run = run_with_history(change(110, "ALARM"), change(120, "OK"), change(130, "ALARM"), change(140, "OK"))
    with pytest.raises(WaitTimeout, match="went off 2 times"):
        run.wait_for_ok("drift", 0)


def test_an_audit_entry_is_found_by_its_facts_unless_it_is_older() -> None:
    def entry(canary: str, second: int) -> dict[str, object]:
        at = f"1970-01-01T00:02:{second:02}+00:00"
        return {"kind": "decision", "subject": "darkroom", "at": at, "facts": {"action": "promote", "canary": canary}}

    run = run_with_history(entry("b", 20), entry("a", 10))
    run.begun_s = 130.0
    assert run.find_audit_entry("decision", "darkroom") == entry("b", 20)
    assert run.find_audit_entry("decision", "darkroom", action="promote", canary="a") == entry("a", 10)
    assert run.find_audit_entry("decision", "darkroom", action="rollback", canary="a") is None
    run.begun_s = 135.0
    assert run.find_audit_entry("decision", "darkroom", canary="a") is None


def test_every_scenario_waits_for_phases_of_others_and_can_begin() -> None:
    """By their classes: some begin to compute when they are constructed."""
    scenarios = {one.name: one for one in CLASSES}
    assert scenarios.keys() == ALL.keys()
    begun: set[str] = set()
    while waiting := scenarios.keys() - begun:
        able = {name for name in waiting if {other for other, _ in scenarios[name].after} <= begun}
        assert able, f"these wait for each other: {waiting}"
        begun |= able
    assert all(phase in PHASES for scenario in scenarios.values() for _, phase in scenario.after)


def test_names_of_alarms_do_without_the_stack() -> None:
    assert strip_stack_name("darkroom-drift") == "drift"


def test_the_blocks_that_scenarios_run_are_in_the_runbooks() -> None:
    assert "output()" in runbooks.list_blocks(runbooks.read_runbook("queue-backlog"))[0]
    assert "--enabled" in find_block("queue-backlog", "update-event-source-mapping")
    assert "delete-item" in find_block("model-down", "breaker#endpoint")
    assert "key=trips/rome.jpg" in find_block("model-down", "send-message")
    assert "output Ingest" in find_block("queue-backlog", "update-event-source-mapping")
    for block in ("fallback on", "fallback off"):
        assert "darkroom" in find_block("model-slow", block)
    with pytest.raises(WaitTimeout, match="no commands with 'reboot'"):
        find_block("model-down", "reboot")


def test_what_is_to_be_filled_in_has_to_be_there() -> None:
    with pytest.raises(WaitTimeout, match="has no 'output Nothing'"):
        run_runbook(NOWHERE, "queue-backlog", replacements={"output Nothing": "x"})


def test_a_command_that_fails_is_named_with_its_message() -> None:
    with pytest.raises(WaitTimeout, match=r"`darkroom manifests review` failed: darkroom: Missing argument 'DAY'"):
        run_darkroom(NOWHERE, "manifests", "review")
