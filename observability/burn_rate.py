"""Alarms on the burn rate of each objective's error budget, and the composite alarms that page.

The rates are those of Google's Site Reliability Workbook, chapter 5, "Alerting on SLOs", section 6, "Multiwindow,
Multi-Burn-Rate Alerts": 14.4 times what the objective allows over an hour spends 2 % of a month's budget, 6 times over
six hours 5 %, 3 times over a day 10 %. A short window, a twelfth of the long one, shows that it still burns. The first
two page, and the third is a ticket, as in the workbook. The first two share the short window of the second: an alarm
costs by its metrics, and this one more only ends a page of the first up to 25 minutes later.

A window with few events has no share. Where all of the few events of an hour fail, its share is 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.slo import SLOS, Slo

from .alarm import CompositeAlarm, MetricAlarm
from .measures import Formula, Metric, lambda_metric, own_metric

MIN_EVENTS = 20
"""Minimum number of events in a window: one failure of three is no incident."""

RELEASED = ("transform", "infer", "upload", "similar")
"""Functions with gradual deployments."""

THROTTLED = ("transform", "upload", "similar")
"""Functions whose throttled invocations fail a request; those of queues are retried."""


@dataclass(frozen=True, slots=True)
class Window:
    """A burn rate of ``burn`` over ``period_s``.

    With ``min_requests`` and ``min_attempts`` (at messages), as few events as that are a share too if all of them fail.
    """

    name: str
    burn: float
    period_s: int
    min_requests: int = MIN_EVENTS
    min_attempts: int = MIN_EVENTS


FAST = Window("fast", 14.4, 3600, min_requests=3, min_attempts=7)
"""Seven attempts are more than one message has before it is a dead letter (six)."""

SLOW = Window("slow", 6, 6 * 3600)
SHORT = Window("short", 6, 1800, min_requests=1, min_attempts=1)
SUSTAINED = Window("sustained", 3, 24 * 3600)
SUSTAINED_SHORT = Window("sustained-short", 3, 2 * 3600)
WINDOWS = (FAST, SLOW, SHORT, SUSTAINED, SUSTAINED_SHORT)

GROUPS = {
    "viewers": (
        "Image requests fail or are slow",
        "images that the CDN does not have are missing or late; the others are served",
    ),
    "uploads": (
        "Uploads fail or are slow",
        "uploads fail, or their images are shown late; published images are served",
    ),
    "analysis": (
        "Image analysis fails or is slow",
        "new images have no tags yet, and those that must be redacted or checked are not shown; the others are served",
    ),
    "similar": ("Searches for similar images fail", "searches for similar images fail; images are served"),
}
"""Alarms that page, with their descriptions and what users notice."""

SUPPRESSOR = "viewers"
"""While this one is in alarm, the others do not page: they have the same cause."""


def threshold(slo: Slo, window: Window) -> float:
    """Return the share of bad events at the burn rate of ``window``."""
    return round(window.burn * (1 - slo.objective), 6)


_CONDITIONS = {"analysis": "HasAnalysis", "similar": "HasSimilar"}
"""Conditions of groups that not every deployment has."""


def _condition(slo: Slo) -> str:
    return _CONDITIONS.get(slo.group, "")


@dataclass(frozen=True, slots=True)
class ObjectiveEvents:
    """Metrics of an objective, and formulas of its bad and of all events.

    ``own_bad`` and ``own_total`` are those that functions count themselves, without crashes and throttles;
    ``cold_bad`` and ``cold_total`` those of them in the first invocation of a process, of ``cold_metrics``.
    """

    metrics: tuple[Metric, ...]
    bad: str
    total: str
    own_bad: str
    own_total: str
    cold_metrics: tuple[Metric, ...]
    cold_bad: str
    cold_total: str


def list_events(slo: Slo) -> ObjectiveEvents:
    """Return the events of an objective."""
    latency = slo.kind == "latency"
    bad, total = ("Slow", "Timed") if latency else ("Faults", "Requests")
    pair = (bad, total) if latency else (total, bad)
    metrics: list[Metric] = []
    for function in slo.functions:
        lambdas = ("Errors", "Throttles") if function in THROTTLED else ("Errors",)
        metrics += [_own(function, one) for one in pair] + [_lambdas(function, one) for one in lambdas if not latency]
    kinds = [] if latency else ["errors"] + ["throttles"] * (slo.functions[0] in THROTTLED)
    bad, total = bad.lower(), total.lower()
    return ObjectiveEvents(
        metrics=tuple(metrics),
        bad=_sum(slo, bad, *kinds),
        total=_sum(slo, total, *kinds),
        own_bad=_sum(slo, bad),
        own_total=_sum(slo, total),
        cold_metrics=tuple(_own(function, f"Cold{one}") for function in slo.functions for one in pair),
        cold_bad=_sum(slo, f"cold{bad}"),
        cold_total=_sum(slo, f"cold{total}"),
    )


def _own(function: str, metric: str) -> Metric:
    return own_metric(f"{metric.lower()}_{function}", function, metric)


def _lambdas(function: str, metric: str) -> Metric:
    """Return a metric of Lambda: crashed and throttled invocations publish none of their own."""
    return lambda_metric(f"{metric.lower()}_{function}", f"{function.capitalize()}Function", metric)


def _sum(slo: Slo, *kinds: str) -> str:
    return " + ".join(f"FILL({kind}_{function}, 0)" for function in slo.functions for kind in kinds)


def _name_alarm(slo: Slo, window: Window) -> str:
    return f"{slo.name}-{window.name}"


def _burn_rate_alarm(slo: Slo, window: Window) -> MetricAlarm:
    events = list_events(slo)
    minutes = window.period_s // 60
    span = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
    return MetricAlarm(
        name=_name_alarm(slo, window),
        description=f"{slo.title}: over {span}, bad events exceed {window.burn:g} times the share that the objective "
        f"of {slo.objective:.1%} allows",
        runbook=slo.runbook,
        metrics=events.metrics,
        formulas=(
            Formula("bad", "", events.bad, shown=False),
            Formula("total", "", events.total, shown=False),
            Formula("share", f"share of bad events in {span}", _share(slo, window)),
        ),
        threshold=threshold(slo, window),
        period_s=window.period_s,
        condition=_condition(slo),
        action="",
    )


def _share(slo: Slo, window: Window) -> str:
    least = window.min_requests if slo.functions[0] in THROTTLED else window.min_attempts
    few = f"IF(total >= {least} AND bad >= total, 1, 0)" if least < MIN_EVENTS and slo.kind == "success" else "0"
    return f"IF(total >= {MIN_EVENTS}, bad / total, {few})"


def burn_rate_alarms() -> Iterator[MetricAlarm]:
    """Yield an alarm for each window of each objective, all without actions."""
    for slo in SLOS:
        for window in WINDOWS:
            yield _burn_rate_alarm(slo, window)


def objective_alarms() -> Iterator[CompositeAlarm]:
    """Yield for each group a composite alarm that pages, and a ticket on its budget."""
    for group, (meaning, noticed) in GROUPS.items():
        objectives = [slo for slo in SLOS if slo.group == group]
        yield CompositeAlarm(
            name=group,
            description=meaning,
            runbook=objectives[0].runbook,
            any_of_all=tuple(
                (_name_alarm(slo, window), _name_alarm(slo, SHORT)) for slo in objectives for window in (FAST, SLOW)
            ),
            condition=_condition(objectives[0]),
            action="page",
            noticed=noticed,
            suppressor="" if group == SUPPRESSOR else SUPPRESSOR,
            runbooks=tuple((_name_alarm(slo, SHORT), slo.runbook) for slo in objectives),
        )
        yield CompositeAlarm(
            name=f"{group}-budget",
            description=f"{meaning} more often than the month's budget allows, at {SUSTAINED.burn:g} times its rate",
            runbook=objectives[0].runbook,
            any_of_all=tuple((_name_alarm(slo, SUSTAINED), _name_alarm(slo, SUSTAINED_SHORT)) for slo in objectives),
            condition=_condition(objectives[0]),
            action="ticket",
            noticed=noticed,
            runbooks=tuple((_name_alarm(slo, SUSTAINED), slo.runbook) for slo in objectives),
        )


def release_alarms(function: str) -> tuple[str, ...]:
    """Return the alarms that roll back a deployment of ``function``: those of the shortest window."""
    return tuple(_name_alarm(slo, SHORT) for slo in SLOS if function in slo.functions)
