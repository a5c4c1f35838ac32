"""States of the alarms: evaluated again and again from CloudWatch's figures, with a history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from observability.alarm_states import Alarm, Evaluation, State, evaluate
from observability.composites import Composite, StateSince, evaluate_composites, has_acted

from ..paths import STACK
from .alarm_history import AlarmHistory
from .declared_alarms import DeclaredAlarm
from .read_metrics import MetricQuery, MetricReader, build_query

UNKNOWN: State = "INSUFFICIENT_DATA"
RUNBOOK = "Runbook: "
PAGING = "Page"
"""What the topic that pages has in its name, and no other."""


@dataclass(frozen=True, slots=True)
class AlarmState:
    """How an alarm stands. ``acted``: its actions have been taken since it went into this state."""

    state: State = UNKNOWN
    since_s: float = 0.0
    value: float | None = None
    reason: str = ""
    acted: bool = False

    @property
    def standing(self) -> StateSince:
        """As rules of suppression look at it."""
        return StateSince(self.state, self.since_s)


class Alarms:
    """All alarms of a deployment, how they stand and how they have stood."""

    def __init__(self, figures: MetricReader, history: AlarmHistory, declare: Callable[[], DeclaredAlarm]) -> None:
        self._figures = figures
        self._history = history
        self._declare = declare
        self._declared = DeclaredAlarm()
        self._begun_s = 0.0
        self._stands: dict[str, AlarmState] = {
            change["name"]: AlarmState(change["to"], change["at_s"], change["value"], change["reason"], acted=True)
            for change in history.changes()
        }

    def read(self) -> None:
        """Take over the alarms that are declared now. Raises what declaring them raises."""
        self._declared = self._declare()

    def look(self, now_s: float) -> None:
        """Evaluate all of them, metric alarms first. Raises Unavailable."""
        self._begun_s = self._begun_s or now_s
        for alarm, stand in self._measured(now_s):
            self._settle(alarm.name, stand, now_s)
        states = {alarm.name: self._stand(alarm.name).state for alarm in self._declared.alarms}
        found = evaluate_composites(self._declared.composites, states)
        for composite in self._declared.composites:
            ringing = sorted(name for name in composite.children if (states | found).get(name) == "ALARM")
            reason = "In alarm: " + ", ".join(ringing) if ringing else "None of its alarms rings"
            self._settle(composite.name, AlarmState(found[composite.name], now_s, None, reason), now_s)
        self._act(now_s)

    def listed(self) -> list[dict[str, Any]]:
        """Every alarm as the console has it."""
        return [self._shown(one, None) for one in self._declared.composites] + [
            self._shown(one, one.threshold) for one in self._declared.alarms
        ]

    def _measured(self, now_s: float) -> list[tuple[Alarm, AlarmState]]:
        asked: dict[MetricQuery, float] = {}
        queries = {
            alarm.name: {
                query.id: build_query(query.namespace, query.metric, query.dimensions, query.stat)
                for query in alarm.queries
            }
            for alarm in self._declared.alarms
        }
        for alarm in self._declared.alarms:
            for one in queries[alarm.name].values():
                asked[one] = min(asked.get(one, now_s), alarm.times(now_s)[0])
        points = self._figures.minutes(asked, now_s)
        found = []
        for alarm in self._declared.alarms:
            series = {name: points[one] for name, one in queries[alarm.name].items()}
            before = self._stand(alarm.name).state
            told = evaluate(alarm, series, now_s, before)
            state = before if self._too_early(alarm, told, now_s) else told.state
            found.append((alarm, AlarmState(state, now_s, told.value, told.reason)))
        return found

    def _too_early(self, alarm: Alarm, told: Evaluation, now_s: float) -> bool:
        """Whether silence rings the alarm only because the stack was not running."""
        watched_s = now_s - self._begun_s
        return told.state == "ALARM" and told.value is None and watched_s < alarm.period_s * alarm.evaluation_periods

    def _settle(self, name: str, found: AlarmState, now_s: float) -> None:
        """Keep how an alarm stands now; a change is history."""
        before = self._stand(name)
        if before.state == found.state and before.since_s:
            self._stands[name] = replace(before, value=found.value, reason=found.reason)
            return
        self._stands[name] = found
        self._history.note(
            at_s=now_s, name=name, before=before.state, after=found.state, reason=found.reason, value=found.value
        )

    def _act(self, now_s: float) -> None:
        """What pages, pages once, unless another alarm holds it back. A metric alarm is held back by none."""
        for alarm in self._declared.alarms:
            stand = self._stand(alarm.name)
            if _pages(alarm) and stand.state == "ALARM" and not stand.acted:
                self._stands[alarm.name] = replace(stand, acted=True)
                self._history.page(at_s=now_s, name=alarm.name, reason=stand.reason)
        for composite in self._declared.composites:
            stand = self._stand(composite.name)
            above = self._stand(composite.suppressor).standing if composite.suppressor else None
            if not stand.acted and has_acted(composite, stand.standing, above, now_s):
                self._stands[composite.name] = replace(stand, acted=True)
                if _pages(composite):
                    self._history.page(at_s=now_s, name=composite.name, reason=stand.reason)

    def _stand(self, name: str) -> AlarmState:
        return self._stands.get(name, AlarmState())

    def _shown(self, one: Alarm | Composite, threshold: float | None) -> dict[str, Any]:
        stand, (meaning, _, runbook) = self._stand(one.name), one.description.partition(RUNBOOK)
        composite = isinstance(one, Composite)
        return {
            "name": one.name,
            "title": meaning.strip() or one.name.removeprefix(f"{STACK}-"),
            "state": stand.state,
            "since_s": stand.since_s,
            "value": stand.value,
            "threshold": threshold,
            "reason": stand.reason,
            "runbook": runbook.strip(),
            "group": self._group(one.name),
            "pages": _pages(one),
            "composite": composite,
            "suppressed": composite and stand.state == "ALARM" and bool(one.actions) and not stand.acted,
        }

    def _group(self, name: str) -> str:
        """The composite at the top of those that an alarm is part of, without the stack's name."""
        above = next((one.name for one in self._declared.composites if name in one.children), None)
        return self._group(above) if above else name.removeprefix(f"{STACK}-")


def _pages(one: Alarm | Composite) -> bool:
    return any(PAGING in action for action in one.actions)
