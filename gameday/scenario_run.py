"""One scenario as it is played: when what happened, what was seen, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from darkroom.aws.cloudwatch import MetricStat

from .environment import Environment
from .wait_for import require, wait_until

type Kind = Literal["break", "alarm", "clear", "note"]
type Phase = Literal["prepare", "break", "expect", "clear", "verify"]
PHASES: tuple[Phase, ...] = ("prepare", "break", "expect", "clear", "verify")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a Unix time."""

    at_s: float
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A chart of the report: ``figures`` by the names of their lines. ``limit`` is drawn where it is not None."""

    title: str
    unit: str
    figures: dict[str, MetricStat]
    limit: float | None = None


@dataclass
class ScenarioRun:
    """How a scenario goes. ``fault`` is why it failed, empty if it did not."""

    world: Environment
    title: str
    say: Callable[[str], None]
    begun_s: float = field(default_factory=time.time)
    ended_s: float = 0.0
    marks: list[Mark] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def mark(self, kind: Kind, text: str, at_s: float | None = None) -> None:
        """Remember, and tell, what happens."""
        self.marks.append(Mark(time.time() if at_s is None else at_s, kind, text))
        self.say(f"{self.title}: {text}")

    def fact(self, name: str, value: object) -> None:
        """Remember what was seen."""
        self.facts[name] = str(value)

    def ringing(self, alarm: str) -> list[float]:
        """The times at which an alarm went off since the scenario began."""
        return [
            change["at_s"]
            for change in self.world.changes()
            if change["name"] == alarm and change["to"] == "ALARM" and change["at_s"] >= self.begun_s
        ]

    def rings(self, alarm: str, within_s: float) -> None:
        """Wait until an alarm goes off."""
        [at_s, *_] = wait_until(lambda: self.ringing(alarm), f"the alarm {alarm} rings", within_s)
        self.mark("alarm", f"the alarm {alarm} rings", at_s)

    def quiet(self, alarm: str, within_s: float) -> None:
        """Wait until an alarm is over, and see that it went off once."""
        wait_until(lambda: self.world.alarms()[alarm]["state"] != "ALARM", f"the alarm {alarm} is over", within_s)
        self.mark("clear", f"the alarm {alarm} is over", self._over(alarm))
        self.once(alarm)

    def once(self, alarm: str) -> None:
        """See that an alarm went off once."""
        times = len(self.ringing(alarm))
        self.fact(f"alarm {alarm} went off", f"{times} time{'s' * (times != 1)}")
        require(times == 1, f"the alarm {alarm} went off {times} times, not once")

    def paged(self, group: str) -> int:
        """How often somebody was called for a group of alarms since the scenario began."""
        return sum(page["name"] == group and page["at_s"] >= self.begun_s for page in self.world.pages())

    def noted(self, kind: str, subject: str) -> dict[str, Any] | None:
        """The newest entry of the audit log about ``subject`` since the scenario began."""
        found = [entry for entry in self.world.audit() if entry["kind"] == kind and entry["subject"] == subject]
        return next((entry for entry in found if _time(str(entry["at"])) >= self.begun_s - 1), None)

    def _over(self, alarm: str) -> float:
        ends = [one["at_s"] for one in self.world.changes() if one["name"] == alarm and one["from"] == "ALARM"]
        return float(ends[-1]) if ends else time.time()


class Scenario(Protocol):
    """Something that goes wrong. Its methods are called in the order of PHASES, and raise NotSo."""

    name: str
    title: str

    @property
    def after(self) -> tuple[tuple[str, Phase], ...]:
        """Phases of other scenarios that have to be over before it begins, where those are played."""
        ...

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Charts of the report."""
        ...

    def prepare(self, play: ScenarioRun) -> None:
        """All that can be done before anything is broken."""
        ...

    def break_(self, play: ScenarioRun) -> None:
        """Have it go wrong."""
        ...

    def expect(self, play: ScenarioRun) -> None:
        """Wait for the alarm, or for what the monitor decides."""
        ...

    def clear(self, play: ScenarioRun) -> None:
        """Do what the runbook says. Called even if what was expected did not come."""
        ...

    def verify(self, play: ScenarioRun) -> None:
        """See that it is over, and that nothing was harmed."""
        ...


def _time(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
