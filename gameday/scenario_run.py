"""Run of one scenario: marks, facts and outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from .environment import Environment
from .wait_for import require, wait_until

type Kind = Literal["break", "alarm", "clear", "note"]
type Phase = Literal["prepare", "break", "expect", "clear", "verify"]
PHASES: tuple[Phase, ...] = ("prepare", "break", "expect", "clear", "verify")


@dataclass(frozen=True, slots=True)
class Mark:
    """An event at a Unix time."""

    at_s: float
    kind: Kind
    text: str


@dataclass
class ScenarioRun:
    """Run of a scenario. ``fault`` is the reason for its failure, empty if it passed."""

    environment: Environment
    title: str
    log: Callable[[str], None]
    begun_s: float = field(default_factory=time.time)
    ended_s: float = 0.0
    marks: list[Mark] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def mark(self, kind: Kind, text: str, at_s: float | None = None) -> None:
        """Record and log an event."""
        self.marks.append(Mark(time.time() if at_s is None else at_s, kind, text))
        self.log(f"{self.title}: {text}")

    def record_fact(self, name: str, value: object) -> None:
        """Record an observation for the report."""
        self.facts[name] = str(value)

    def list_alarm_times(self, alarm: str) -> list[float]:
        """Return the times at which an alarm went off since the scenario began."""
        return [
            change["at_s"]
            for change in self.environment.changes()
            if change["name"] == alarm and change["to"] == "ALARM" and change["at_s"] >= self.begun_s
        ]

    def wait_for_alarm(self, alarm: str, within_s: float) -> None:
        """Wait until an alarm goes off."""
        [at_s, *_] = wait_until(lambda: self.list_alarm_times(alarm), f"the alarm {alarm} goes off", within_s)
        self.mark("alarm", f"the alarm {alarm} goes off", at_s)

    def wait_for_ok(self, alarm: str, within_s: float) -> None:
        """Wait until an alarm returns to OK, and require that it went off once."""
        wait_until(
            lambda: self.environment.alarms()[alarm]["state"] != "ALARM", f"the alarm {alarm} returns to OK", within_s
        )
        self.mark("clear", f"the alarm {alarm} returns to OK", self._read_end(alarm))
        self.require_one_alarm(alarm)

    def require_one_alarm(self, alarm: str) -> None:
        """Require that an alarm went off once."""
        times = len(self.list_alarm_times(alarm))
        self.record_fact(f"alarm {alarm} went off", f"{times} time{'s' * (times != 1)}")
        require(times == 1, f"the alarm {alarm} went off {times} times, not once")

    def count_pages(self, group: str) -> int:
        """Return how many pages an alarm group has sent since the scenario began."""
        return sum(page["name"] == group and page["at_s"] >= self.begun_s for page in self.environment.pages())

    def find_audit_entry(self, kind: str, subject: str, **facts: object) -> dict[str, Any] | None:
        """Return the newest audit log entry about ``subject`` with ``facts`` since the scenario began."""
        found = [entry for entry in self.environment.audit() if entry["kind"] == kind and entry["subject"] == subject]
        alike = [entry for entry in found if facts.items() <= entry["facts"].items()]
        return next((entry for entry in alike if _time(str(entry["at"])) >= self.begun_s - 1), None)

    def _read_end(self, alarm: str) -> float:
        ends = [one["at_s"] for one in self.environment.changes() if one["name"] == alarm and one["from"] == "ALARM"]
        return float(ends[-1]) if ends else time.time()


class Scenario(Protocol):
    """A failure to inject. Its methods run in the order of PHASES, and raise WaitTimeout."""

    name: str
    title: str

    @property
    def after(self) -> tuple[tuple[str, Phase], ...]:
        """Phases of other scenarios that have to end first, if those run."""
        ...

    def prepare(self, run: ScenarioRun) -> None:
        """Prepare everything before the failure."""
        ...

    def inject(self, run: ScenarioRun) -> None:
        """Inject the failure."""
        ...

    def expect(self, run: ScenarioRun) -> None:
        """Wait for the alarm or for the monitor's decision."""
        ...

    def clear(self, run: ScenarioRun) -> None:
        """Clear the failure by the runbook. Runs even if the expectation failed."""
        ...

    def verify(self, run: ScenarioRun) -> None:
        """Verify the recovery, and that no data was harmed."""
        ...


def _time(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
