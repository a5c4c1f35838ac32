"""One fault pages once: the template's alarms over hours of generated traffic, minute by minute."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from observability.alarm_states import Alarm, State, evaluate
from observability.composites import Composite, StateSince, evaluate_composites, has_acted
from observability.metric_math import Series

from .watching import alarms, composites

ALARMS = [alarm for name, alarm in alarms().items() if alarm.name.endswith(("-fast", "-slow", "-sustained", "-short"))]
COMPOSITES = list(composites().values())
NAMES = {composite.name: composite for composite in COMPOSITES}

A_MINUTE = {"transform": 100.0, "ingest": 30.0, "infer": 30.0, "upload": 20.0, "similar": 5.0}
"""The requests of each function."""

BEGINS, ENDS, LAST = 120, 190, 330

type Fault = Callable[[str, str], float]
"""The share of a function's events that counts as bad, by function and metric, while the fault lasts."""


def everything_fails(_function: str, _metric: str) -> float:
    return 0.9


def uploads_fail(function: str, _metric: str) -> float:
    return 0.5 if function == "ingest" else 0


def models_are_slow(function: str, metric: str) -> float:
    return 1.0 if function == "infer" and metric == "Slow" else 0


def rendering_is_slow(function: str, metric: str) -> float:
    return 0.9 if function == "transform" and metric == "Slow" else 0


def a_little_fails(_function: str, metric: str) -> float:
    return 0.002 if metric == "Faults" else 0


def traffic(alarm: Alarm, fault: Fault) -> dict[str, Series]:
    """All that is counted, by the minute."""
    found: dict[str, Series] = {}
    for query in alarm.queries:
        function = query.dimensions.get("function", "")
        asked = A_MINUTE.get(function, 0)
        bad = query.metric in ("Faults", "Slow")
        if function:
            share = fault(function, query.metric)
            found[query.id] = {
                minute * 60: asked * (share if BEGINS <= minute < ENDS else 0) if bad else asked
                for minute in range(LAST)
            }
    return found


@cache
def pages(fault: Fault) -> list[tuple[str, int]]:
    """The alarms that paged, with the minute."""
    counted = {alarm.name: traffic(alarm, fault) for alarm in ALARMS}
    states: dict[str, State] = {}
    standing: dict[str, StateSince] = {composite.name: StateSince("OK", 0) for composite in COMPOSITES}
    paged: list[tuple[str, int]] = []
    acting: set[str] = set()
    for minute in range(1, LAST):
        now_s = minute * 60
        for alarm in ALARMS:
            states[alarm.name] = evaluate(alarm, counted[alarm.name], now_s, states.get(alarm.name, "OK")).state
        for name, state in evaluate_composites(COMPOSITES, states).items():
            if standing[name].state != state:
                standing[name] = StateSince(state, now_s)
        for composite in filter(lambda one: one.actions == ("<PageTopic>",), COMPOSITES):
            if not has_acted(composite, standing[composite.name], _suppressor(composite, standing), now_s):
                acting.discard(composite.name)
            elif composite.name not in acting:
                acting.add(composite.name)
                paged.append((composite.name.removeprefix("stack-"), minute))
    assert {name for name, now in standing.items() if now.state == "ALARM"} == set()
    return paged


def _suppressor(composite: Composite, standing: dict[str, StateSince]) -> StateSince | None:
    return standing[composite.suppressor] if composite.suppressor else None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (everything_fails, ["viewers"]),
        (uploads_fail, ["uploads"]),
        (models_are_slow, ["analysis"]),
        (rendering_is_slow, ["viewers"]),
        (a_little_fails, []),
    ],
)
def test_a_fault_pages_once_and_ends(fault: Fault, expected: list[str]) -> None:
    paged = pages(fault)
    assert [group for group, _ in paged] == expected
    assert all(BEGINS < minute < ENDS + 10 for _, minute in paged)


@pytest.mark.slow
def test_a_total_outage_alarms_within_five_minutes() -> None:
    [(_, minute)] = pages(everything_fails)
    assert minute - BEGINS <= 5
