"""The order in which scenarios are played, and what becomes of those that fail. The world is not asked anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import cast

import pytest

from gameday.environment import Environment, strip_stack_name
from gameday.run import run
from gameday.runbook import find_block, run_runbook
from gameday.scenario_run import PHASES, Phase, ScenarioRun, Shown
from gameday.wait_for import WaitTimeout, require, wait_until
from tests.waiting import HANG_S
from tools import runbooks

NOWHERE = Environment({"aws_endpoint_url": "http://127.0.0.1:9", "sagemaker_url": "", "region": "us-east-1"})


@dataclass
class Told:
    """A scenario that tells ``heard`` what is done with it, and fails in ``fails``."""

    name: str
    heard: list[str]
    after: tuple[tuple[str, Phase], ...] = ()
    fails: tuple[Phase, ...] = ()
    fault: Exception = field(default_factory=lambda: WaitTimeout("no alarm"))
    awaits: Event | None = None
    shown: tuple[Shown, ...] = ()

    @property
    def title(self) -> str:
        return self.name

    def _do(self, phase: Phase) -> None:
        if self.awaits is not None:
            assert self.awaits.wait(HANG_S)
        self.heard.append(f"{self.name} {phase}")
        if phase in self.fails:
            raise self.fault

    def prepare(self, play: ScenarioRun) -> None:
        self._do("prepare")

    def break_(self, play: ScenarioRun) -> None:
        self._do("break")

    def expect(self, play: ScenarioRun) -> None:
        self._do("expect")

    def clear(self, play: ScenarioRun) -> None:
        self._do("clear")

    def verify(self, play: ScenarioRun) -> None:
        self._do("verify")


def quiet(_: str) -> None:
    """Say nothing."""


def test_a_scenario_is_played_in_order() -> None:
    heard: list[str] = []
    [play] = run(NOWHERE, [Told("a", heard)], quiet)
    assert heard == [f"a {phase}" for phase in PHASES]
    assert (play.fault, play.title) == ("", "a")
    assert play.ended_s >= play.begun_s


@pytest.mark.parametrize("failing", ["prepare", "break", "expect"])
def test_what_was_broken_is_mended_even_if_nobody_noticed(failing: Phase) -> None:
    heard: list[str] = []
    [play] = run(NOWHERE, [Told("a", heard, fails=(failing,))], quiet)
    assert heard == [f"a {phase}" for phase in (*PHASES[: PHASES.index(failing) + 1], "clear")]
    assert play.fault == "no alarm"


def test_the_first_fault_is_told_and_others_are_played() -> None:
    heard: list[str] = []
    bad = Told("a", heard, fails=("break", "clear"), fault=KeyError("darkroom-x"))
    plays = run(NOWHERE, [bad, Told("b", [])], quiet)
    assert plays[0].fault.startswith("KeyError('darkroom-x')")
    assert plays[1].fault == ""


def test_one_begins_after_the_phases_that_it_waits_for() -> None:
    heard: list[str] = []
    gate = Event()
    first, second = Told("a", heard, awaits=gate), Told("b", heard, after=(("a", "clear"), ("elsewhere", "clear")))

    def say(_: str) -> None:
        gate.set()

    gate.set()
    run(NOWHERE, [second, first], say)
    assert heard.index("a clear") < heard.index("b prepare")


def test_one_that_failed_lets_others_begin() -> None:
    heard: list[str] = []
    run(NOWHERE, [Told("b", heard, after=(("a", "verify"),)), Told("a", heard, fails=("prepare",))], quiet)
    assert heard[-1] == "b verify"


def test_waiting_ends_with_what_is_not_so() -> None:
    assert wait_until(lambda: "so", "it", 0.0) == "so"
    with pytest.raises(WaitTimeout, match="the lamp is lit"):
        wait_until(lambda: 0, "the lamp is lit", 0.0, 0.0)
    with pytest.raises(WaitTimeout, match="lit"):
        require([], "lit")


@dataclass
class Remembered:
    """A world in which alarms have done what a test says."""

    past: list[dict[str, object]]

    def changes(self) -> list[dict[str, object]]:
        return self.past

    def alarms(self) -> dict[str, dict[str, object]]:
        return {"drift": {"state": "OK"}}


def change(at_s: float, after: str, name: str = "drift") -> dict[str, object]:
    before = "OK" if after == "ALARM" else "ALARM"
    return {"at_s": at_s, "name": name, "from": before, "to": after}


def remembering(*past: dict[str, object]) -> ScenarioRun:
    return ScenarioRun(cast(Environment, Remembered(list(past))), "a", quiet, begun_s=100.0)


def test_an_alarm_of_before_or_of_another_name_does_not_count() -> None:
    play = remembering(change(99, "ALARM"), change(150, "ALARM", "else"), change(160, "ALARM"), change(170, "OK"))
    assert play.ringing("drift") == [160]
    play.rings("drift", 0)
    play.quiet("drift", 0)
    assert [(mark.kind, mark.at_s) for mark in play.marks] == [("alarm", 160), ("clear", 170)]


def test_an_alarm_that_went_off_twice_is_a_fault() -> None:
    play = remembering(change(110, "ALARM"), change(120, "OK"), change(130, "ALARM"), change(140, "OK"))
    with pytest.raises(WaitTimeout, match="went off 2 times"):
        play.quiet("drift", 0)


def test_names_of_alarms_do_without_the_stack() -> None:
    assert strip_stack_name("darkroom-drift") == "drift"


def test_the_blocks_that_scenarios_run_are_in_the_runbooks() -> None:
    assert "output()" in runbooks.commands("queue-backlog")[0]
    assert "--enabled" in find_block("queue-backlog", "update-event-source-mapping")
    assert "delete-item" in find_block("model-down", "breaker#endpoint")
    assert "key=trips/rome.jpg" in find_block("model-down", "send-message")
    assert "output Ingest" in find_block("queue-backlog", "update-event-source-mapping")
    with pytest.raises(WaitTimeout, match="no commands with 'reboot'"):
        find_block("model-down", "reboot")


def test_what_is_to_be_filled_in_has_to_be_there() -> None:
    with pytest.raises(WaitTimeout, match="has no 'output Nothing'"):
        run_runbook(NOWHERE, "queue-backlog", filled={"output Nothing": "x"})
