"""Tickets about scheduled functions: failing checks of the monitor, and runs that end in an error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .alarm import HOUR_S, Action, MetricAlarm
from .measures import Formula, Metric, own_dimensions

RUNBOOK = "bad-deploy"


@dataclass(frozen=True, slots=True)
class ScheduledCheck:
    """A check of the monitor by its ``name``; it runs three times in ``period_s``, the alarm's period."""

    name: str
    condition: str = ""
    period_s: int = 900
    action: Action = "ticket"


CHECKS = (
    ScheduledCheck("cdn", period_s=3 * HOUR_S),
    ScheduledCheck("cost", period_s=3 * HOUR_S),
    ScheduledCheck("drift", "HasAnalysis", action="model"),
    ScheduledCheck("rollout", "HasEndpoint", action="model"),
    ScheduledCheck("experiments"),
    ScheduledCheck("remedy"),
    ScheduledCheck("quality-due", "HasEndpoint", 3 * HOUR_S, "model"),
)
"""The checks of the schedules of ``MonitorFunction``."""

SCHEDULED = ("Monitor", "Sweep", "Popular")
"""Functions that a schedule invokes."""


def schedule_alarms() -> Iterator[MetricAlarm]:
    """Yield an alarm for each check of the monitor, and one on the errors of all scheduled functions.

    A single failure is repaired by the next run: two of three are a ticket.
    """
    for check in CHECKS:
        yield MetricAlarm(
            name=f"check-{check.name}",
            description=f"Two of three runs of the monitor's check {check.name} have failed: what it publishes is "
            "missing, and what it does is not done",
            runbook=RUNBOOK,
            metrics=(Metric("failed", "", "CheckFaults", own_dimensions("monitor", check=check.name), shown=False),),
            formulas=(Formula("faults", "failed runs", "FILL(failed, 0)"),),
            comparison="over",
            threshold=1,
            period_s=check.period_s,
            missing="notBreaching",  # a monitor that does not run at all is monitor-silent
            condition=check.condition,
            action=check.action,
            essential=True,
        )
    metrics = tuple(
        Metric(
            f"errors_{name.lower()}",
            "",
            "Errors",
            {"FunctionName": f"{{{name}Function}}"},
            namespace="AWS/Lambda",
            shown=False,
        )
        for name in SCHEDULED
    )
    yield MetricAlarm(
        name="schedule-errors",
        description="Scheduled functions (monitor, sweep, popular) ended twice in three hours in an error or a timeout",
        runbook=RUNBOOK,
        metrics=metrics,
        formulas=(Formula("errors", "errors", " + ".join(f"FILL({one.id}, 0)" for one in metrics)),),
        comparison="over",
        threshold=1,
        period_s=3 * HOUR_S,
        missing="notBreaching",
        action="ticket",
        essential=True,
    )
