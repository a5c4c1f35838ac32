"""States of the alarms, evaluated periodically from CloudWatch metrics, with a history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from observability.alarm import NOTICED, RUNBOOK
from observability.alarm_states import Alarm, Evaluation, State, evaluate
from observability.composites import Composite, StateSince, evaluate_composites, has_acted

from ..paths import STACK
from .alarm_history import AlarmHistory
from .declared_alarms import DeclaredAlarms
from .read_metrics import MetricQuery, MetricReader, build_query

UNKNOWN: State = "INSUFFICIENT_DATA"
PAGING = "Page"
"""Part of the name of the topic that pages, and of no other topic."""


@dataclass(frozen=True, slots=True)
class AlarmState:
    """The state of an alarm. ``acted``: its actions have run since the change to this state."""

    state: State = UNKNOWN
    since_s: float = 0.0
    value: float | None = None
    reason: str = ""
    acted: bool = False

    @property
    def state_since(self) -> StateSince:
        """Return the state in the form that suppression rules use."""
        return StateSince(self.state, self.since_s)


class Alarms:
    """The alarms of a deployment, with their states and history."""

    def __init__(self, metrics: MetricReader, history: AlarmHistory, declare: Callable[[], DeclaredAlarms]) -> None:
        self._metrics = metrics
        self._history = history
        self._declare = declare
        self._declared = DeclaredAlarms()
        self._started_s = 0.0
        self._states: dict[str, AlarmState] = {
            change["name"]: AlarmState(change["to"], change["at_s"], change["value"], change["reason"], acted=True)
            for change in history.changes()
        }

    def load_declared(self) -> None:
        """Load the alarms that the deployment declares. Raises what ``declare`` raises."""
        self._declared = self._declare()

    def evaluate_all(self, now_s: float) -> None:
        """Evaluate all alarms, metric alarms before composite ones. Raises Unavailable."""
        self._started_s = self._started_s or now_s
        for alarm, state in self._evaluate_metric_alarms(now_s):
            self._set_state(alarm.name, state, now_s)
        states = {alarm.name: self._state_of(alarm.name).state for alarm in self._declared.alarms}
        found = evaluate_composites(self._declared.composites, states)
        for composite in self._declared.composites:
            active = sorted(name for name in composite.children if (states | found).get(name) == "ALARM")
            reason = "In alarm: " + ", ".join(active) if active else "None of its alarms is in ALARM"
            self._set_state(composite.name, AlarmState(found[composite.name], now_s, None, reason), now_s)
        self._act(now_s)

    def describe(self) -> list[dict[str, Any]]:
        """Describe every alarm for the console."""
        return [self._describe(one, None) for one in self._declared.composites] + [
            self._describe(one, one.threshold) for one in self._declared.alarms
        ]

    def _evaluate_metric_alarms(self, now_s: float) -> list[tuple[Alarm, AlarmState]]:
        since_by_query: dict[MetricQuery, float] = {}
        queries = {
            alarm.name: {
                query.id: build_query(query.namespace, query.metric, query.dimensions, query.stat)
                for query in alarm.queries
            }
            for alarm in self._declared.alarms
        }
        for alarm in self._declared.alarms:
            for one in queries[alarm.name].values():
                since_by_query[one] = min(since_by_query.get(one, now_s), alarm.times(now_s)[0])
        points = self._metrics.read_minutes(since_by_query, now_s)
        found = []
        for alarm in self._declared.alarms:
            series = {name: points[one] for name, one in queries[alarm.name].items()}
            before = self._state_of(alarm.name).state
            evaluation = evaluate(alarm, series, now_s, before)
            state = before if self._too_early(alarm, evaluation, now_s) else evaluation.state
            found.append((alarm, AlarmState(state, now_s, evaluation.value, evaluation.reason)))
        return found

    def _too_early(self, alarm: Alarm, evaluation: Evaluation, now_s: float) -> bool:
        """Return whether missing data sets the alarm only because the stack was not running."""
        running_s = now_s - self._started_s
        return (
            evaluation.state == "ALARM"
            and evaluation.value is None
            and running_s < alarm.period_s * alarm.evaluation_periods
        )

    def _set_state(self, name: str, found: AlarmState, now_s: float) -> None:
        """Store the state of an alarm, and add a change to the history."""
        before = self._state_of(name)
        if before.state == found.state and before.since_s:
            self._states[name] = replace(before, value=found.value, reason=found.reason)
            return
        self._states[name] = found
        self._history.add_change(
            at_s=now_s, name=name, before=before.state, after=found.state, reason=found.reason, value=found.value
        )

    def _act(self, now_s: float) -> None:
        """Page once for each alarm that pages, unless another alarm suppresses it. Metric alarms have no suppressor."""
        for alarm in self._declared.alarms:
            current = self._state_of(alarm.name)
            if _pages(alarm) and current.state == "ALARM" and not current.acted:
                self._states[alarm.name] = replace(current, acted=True)
                self._history.add_page(at_s=now_s, name=alarm.name, reason=current.reason)
        for composite in self._declared.composites:
            current = self._state_of(composite.name)
            suppressor = self._state_of(composite.suppressor).state_since if composite.suppressor else None
            if not current.acted and has_acted(composite, current.state_since, suppressor, now_s):
                self._states[composite.name] = replace(current, acted=True)
                if _pages(composite):
                    self._history.add_page(at_s=now_s, name=composite.name, reason=current.reason)

    def _state_of(self, name: str) -> AlarmState:
        return self._states.get(name, AlarmState())

    def _describe(self, one: Alarm | Composite, threshold: float | None) -> dict[str, Any]:
        current = self._state_of(one.name)
        meaning, _, noticed = one.description.partition(RUNBOOK)[0].partition(NOTICED)
        composite = isinstance(one, Composite)
        return {
            "name": one.name,
            "title": meaning.strip() or one.name.removeprefix(f"{STACK}-"),
            "noticed": noticed.strip(),
            "state": current.state,
            "since_s": current.since_s,
            "value": current.value,
            "threshold": threshold,
            "reason": current.reason,
            "runbooks": self._list_runbooks(one),
            "group": self._group(one.name),
            "part_of": self._parent(one.name),
            "pages": _pages(one),
            "composite": composite,
            "suppressed": composite and current.state == "ALARM" and bool(one.actions) and not current.acted,
        }

    def _list_runbooks(self, one: Alarm | Composite) -> list[str]:
        """Return the runbooks of the alarms within ``one`` that are in ALARM, or its own."""
        if isinstance(one, Composite):
            declared: list[Alarm | Composite] = [*self._declared.composites, *self._declared.alarms]
            children = [child for child in declared if child.name in one.children]
            active = [child for child in children if self._state_of(child.name).state == "ALARM"]
            if found := [runbook for child in active for runbook in self._list_runbooks(child)]:
                return list(dict.fromkeys(found))
        named = one.description.partition(RUNBOOK)[2].split(", ")
        return list(dict.fromkeys(text.partition(" for ")[0].strip() for text in named if text))

    def _group(self, name: str) -> str:
        """Return the topmost composite that contains the alarm, without the stack's name."""
        above = self._parent(name)
        return self._group(above) if above else name.removeprefix(f"{STACK}-")

    def _parent(self, name: str) -> str:
        """Return the composite that contains the alarm, "" if there is none."""
        return next((one.name for one in self._declared.composites if name in one.children), "")


def _pages(one: Alarm | Composite) -> bool:
    return any(PAGING in action for action in one.actions)
