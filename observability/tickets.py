"""Tickets: alarms about faults that can wait until working hours."""

from __future__ import annotations

from collections.abc import Iterator

from darkroom.slo import SLOS

from .alarm import DAY_S, HOUR_S, NOT_JUDGED, NOT_REPAIRED, MetricAlarm
from .alarm_states import EXTRA_PERIODS
from .measures import Formula, add_up, lambda_metric, monitor_metric, own_metric
from .model_tickets import endpoint_alarms, quality_alarms
from .queue_tickets import queue_alarms, recursion_alarms
from .schedule_tickets import schedule_alarms

DRIFT_OVERDUE_S = 3 * HOUR_S
"""Age of the last complete drift check from which it is overdue. A complete run stores its time once an hour."""

MIN_RENDERS = 100
"""Renders in six hours below which the share of cold starts is not judged."""


def _monitor_alarms() -> Iterator[MetricAlarm]:
    yield MetricAlarm(  # M6
        name="cost-per-picture",
        description="For six hours the cost per image has exceeded MaxCostPerPicture",
        noticed="nothing; images cost more than planned",
        runbook="cost-spike",
        metrics=monitor_metric("CostPerImage", "Average"),
        threshold="{MaxCostPerPicture}",
        period_s=6 * HOUR_S,
        condition="HasCostLimit",
        essential=True,  # it has a parameter of its own that creates it
    )
    yield MetricAlarm(  # M7; the largest drift of all features
        name="drift",
        description="Images or model outputs have drifted from the baseline (PSI over 0.2)",
        noticed="tags and other results may be wrong more often",
        runbook="model-regressed",
        metrics=monitor_metric("DriftPsi", "Maximum"),
        threshold=0.2,
        period_s=300,  # CloudWatch evaluates two more periods where one has no data
        missing="missing",
        condition="HasAnalysis",
        action="model",
        essential=True,
    )
    yield MetricAlarm(
        name="drift-overdue",
        description=f"No complete run of the drift check for {DRIFT_OVERDUE_S // HOUR_S} hours",
        noticed=NOT_JUDGED,
        runbook="model-regressed",
        metrics=monitor_metric("DriftAge", "Maximum"),
        threshold=DRIFT_OVERDUE_S,
        period_s=900,
        missing="missing",
        condition="HasAnalysis",
        action="model",
        essential=True,
    )
    yield MetricAlarm(  # M8
        name="uploads-refused",
        description="More than 0.1 % of the uploads of a day were refused",
        noticed="more uploads than usual are refused, with the reason",
        runbook="conversion-errors",
        metrics=tuple(
            own_metric(name, "ingest", metric)
            for name, metric in (("refused", "ClientErrors"), ("handled", "Requests"))
        ),
        formulas=(
            Formula(
                "share",
                "share of refused uploads",
                "IF(FILL(handled, 0) >= 1000, FILL(refused, 0) / FILL(handled, 0), 0)",
            ),
        ),
        threshold=0.001,
        period_s=DAY_S,
    )
    yield MetricAlarm(  # M9; copied by the monitor, as alarms cannot read metrics of another region
        name="cache-hit-ratio",
        description="The cache hit ratio of the CDN has been under 85 % for six hours",
        noticed="more images are shown late",
        runbook="cache-storm",
        metrics=monitor_metric("CacheHitRatio", "Average"),
        comparison="under",
        threshold=85,
        period_s=HOUR_S,
        periods=6,
        missing="notBreaching",  # an hour without requests
    )
    yield MetricAlarm(
        name="monitor-silent",
        description="The monitor has not run for an hour: its metrics and remedies are missing",
        noticed=NOT_REPAIRED,
        runbook="bad-deploy",
        metrics=(  # Lambda's own count, which costs nothing to publish
            lambda_metric("value", "MonitorFunction", "Invocations", shown=True),
        ),
        comparison="under",
        threshold=1,
        period_s=HOUR_S // (EXTRA_PERIODS + 1),  # CloudWatch looks back so many periods before data is missing
        missing="missing",
        essential=True,
        acts_without_data=True,  # so not on a first deployment, when the monitor has never run yet
    )


def _cold_start_alarm() -> Iterator[MetricAlarm]:
    """Yield the alarm on cold starts of renders.

    The objective allows 5 % to be slow, by the time in the handler. A cold start adds the start of the process: above
    that share, cold starts alone make more responses slow than the objective allows.
    """
    allowed = next(1 - slo.objective for slo in SLOS if slo.name == "viewers-latency")
    metrics = tuple(
        own_metric(name, "transform", metric) for name, metric in (("cold", "ColdRequests"), ("all", "Requests"))
    )
    yield MetricAlarm(
        name="cold-starts",
        description=f"Over six hours more than {allowed:.0%} of the renders waited for a cold start",
        noticed="some images that the CDN does not have are shown late",
        runbook="cold-starts",
        metrics=metrics,
        formulas=(
            Formula(
                "share", "share of cold starts", f"IF(FILL(all, 0) >= {MIN_RENDERS}, FILL(cold, 0) / FILL(all, 0), 0)"
            ),
        ),
        threshold=round(allowed, 6),
        period_s=6 * HOUR_S,
    )


def _configuration_alarm() -> Iterator[MetricAlarm]:
    """Yield the alarm on the settings, which the monitor reads as all functions do, and on secrets of URLs."""
    metrics = (
        own_metric("invalid", "monitor", "SettingsInvalid"),
        own_metric("unread", "monitor", "SettingsReadFailed"),
        *(own_metric(function, function, "SigningSecretInvalid") for function in ("transform", "upload")),
    )
    yield MetricAlarm(
        name="configuration-invalid",
        description="The settings document or a secret with signing keys is invalid: functions keep the last valid "
        "settings, and refuse signed requests until the secret is replaced",
        noticed="signed URLs and uploads may be refused; changed settings have no effect",
        runbook="bad-deploy",
        metrics=metrics,
        formulas=(Formula("failed", "failed reads", add_up(metrics)),),
        threshold=0,
        period_s=900,
        essential=True,
    )


def ticket_alarms() -> Iterator[MetricAlarm]:
    """Yield the alarms that create a ticket."""
    yield from queue_alarms()
    yield from recursion_alarms()
    yield from _configuration_alarm()
    yield from quality_alarms()
    yield from _monitor_alarms()
    yield from endpoint_alarms()
    yield from _cold_start_alarm()
    yield from schedule_alarms()
