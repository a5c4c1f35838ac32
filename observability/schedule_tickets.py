"""Tickets about scheduled functions: failing checks of the monitor, and runs that end in an error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .alarm import HOUR_S, NOT_JUDGED, NOT_REPAIRED, Action, MetricAlarm
from .measures import Formula, add_up, lambda_metric, own_metric

RUNBOOK = "bad-deploy"


@dataclass(frozen=True, slots=True)
class ScheduledCheck:
    """A check of the monitor by its ``name``; it runs three times in ``period_s``, the alarm's period.

    ``noticed`` is what users notice while it fails.
    """

    name: str
    noticed: str
    condition: str = ""
    period_s: int = 900
    action: Action = "ticket"
    essential: bool = True


CHECKS = (
    ScheduledCheck("cdn", "nothing; hit ratios are not measured", period_s=3 * HOUR_S, essential=False),
    ScheduledCheck("cost", "nothing; costs are not measured", period_s=3 * HOUR_S, essential=False),
    ScheduledCheck("drift", NOT_JUDGED, "HasAnalysis", action="model"),
    ScheduledCheck("rollout", "wrong results of a new model, which is not rolled back", "HasEndpoint", action="model"),
    ScheduledCheck("experiments", "variants of experiments that have lost are still shown", essential=False),
    ScheduledCheck("remedy", NOT_REPAIRED, essential=False),
    ScheduledCheck("quality-due", NOT_JUDGED, "HasEndpoint", 3 * HOUR_S, "model"),
)
"""The checks of the schedules of ``MonitorFunction``."""

SCHEDULED = (
    (
        "schedule-errors",
        ("Monitor", "Sweep"),
        "nothing at first; faults last longer, and uploads whose event was lost are not shown",
        "",
    ),
    (
        "popular-errors",
        ("Popular",),
        "nothing; visitors of experiments are not counted, and popular images stay larger than necessary",
        "HasPopular",
    ),
)
"""Alarms on functions that a schedule invokes."""


def schedule_alarms() -> Iterator[MetricAlarm]:
    """Yield an alarm for each check of the monitor, and those on the errors of scheduled functions.

    A single failure is repaired by the next run: two of three are a ticket.
    """
    for check in CHECKS:
        yield MetricAlarm(
            name=f"check-{check.name}",
            description=f"Two of three runs of the monitor's check {check.name} have failed: what it publishes is "
            "missing, and what it does is not done",
            noticed=check.noticed,
            runbook=RUNBOOK,
            metrics=(own_metric("failed", "monitor", "CheckFaults", check=check.name),),
            formulas=(Formula("faults", "failed runs", "FILL(failed, 0)"),),
            threshold=1,
            period_s=check.period_s,
            missing="notBreaching",  # a monitor that does not run at all is monitor-silent
            condition=check.condition,
            action=check.action,
            essential=check.essential,
        )
    for name, functions, noticed, condition in SCHEDULED:
        metrics = tuple(
            lambda_metric(f"errors_{function.lower()}", f"{function}Function", "Errors") for function in functions
        )
        named = " or ".join(function.lower() for function in functions)
        yield MetricAlarm(
            name=name,
            description=f"Runs of {named} on a schedule ended twice in three hours in an error or a timeout",
            noticed=noticed,
            runbook=RUNBOOK,
            metrics=metrics,
            formulas=(Formula("errors", "errors", add_up(metrics)),),
            threshold=1,
            period_s=3 * HOUR_S,
            condition=condition,
            essential=not condition,
        )
