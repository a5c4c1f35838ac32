"""Tickets: alarms about faults that can wait until working hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.slo import SLOS

from .alarm import CompositeAlarm, MetricAlarm
from .measures import Formula, Metric, own_dimensions

HOUR_S, DAY_S, WEEK_S = 3600, 86_400, 604_800

QUALITY_OVERDUE_S = 27 * HOUR_S
"""Age of the last quality check from which it is overdue: variants are checked daily, and a failed check is repeated
hourly, so that three checks have failed by then."""


SLOW_CALL_MS = 5000
"""A quarter of the timeout of a call (``CALL_TIMEOUT_S`` of inference/endpoint_client.py)."""

MIN_RENDERS = 100
"""Renders in six hours below which the share of cold starts is not judged."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with the limits of its oldest message's age and of its depth (a number, a parameter, or None)."""

    name: str
    age_s: int
    capacity: float | str | None
    condition: str = ""


QUEUES = (
    Queue("ingest", 300, "{IngestConcurrency}"),
    Queue("ingest-priority", 60, None),
    Queue("infer", 900, "{InferConcurrency}", "HasAnalysis"),
    Queue("infer-priority", 900, "{InferPriorityConcurrency}", "HasAnalysis"),
    Queue("purge", 300, 20),  # two functions, ten messages each
    Queue("refine", 6 * HOUR_S, None, "HasRefine"),  # in the background
)
DEAD_LETTERS = (
    ("ingest", ""),
    ("review", ""),
    ("infer", "HasAnalysis"),
    ("purge", ""),
    ("refine", "HasRefine"),
)


def _of_queue(queue: str, metric: str, stat: str) -> tuple[Metric, ...]:
    return (Metric("value", "", metric, {"QueueName": f"{{stack}}-{queue}"}, stat=stat, namespace="AWS/SQS"),)


def _queue_alarms() -> Iterator[MetricAlarm]:
    for queue in QUEUES:
        yield MetricAlarm(
            name=f"{queue.name}-age",
            description=f"The oldest message of the {queue.name} queue is older than {_minutes(queue.age_s)}",
            runbook="queue-backlog",
            metrics=_of_queue(queue.name, "ApproximateAgeOfOldestMessage", "Maximum"),
            comparison="over",
            threshold=queue.age_s,
            period_s=60,
            periods=3,
            missing="notBreaching",  # SQS publishes no metrics of a queue that was idle for hours
            condition=queue.condition,
            action="ticket",
        )
        if queue.capacity is None:
            continue
        yield MetricAlarm(
            name=f"{queue.name}-depth",
            description=f"For 15 minutes the {queue.name} queue has exceeded what its workers process at once",
            runbook="queue-backlog",
            metrics=_of_queue(queue.name, "ApproximateNumberOfMessagesVisible", "Minimum"),
            comparison="over",
            threshold=queue.capacity,
            period_s=300,
            periods=3,
            missing="notBreaching",
            condition=queue.condition,
            action="ticket",
        )
    for name, condition in DEAD_LETTERS:
        yield MetricAlarm(
            name=f"{name}-dead-letters",
            description=f"The dead letter queue of {name} has messages",
            runbook="redrive",
            metrics=_of_queue(f"{name}-dead-letters", "ApproximateNumberOfMessagesVisible", "Maximum"),
            comparison="over",
            threshold=0,
            period_s=60,
            missing="notBreaching",
            condition=condition,
            action="ticket",
        )


def _minutes(seconds: int) -> str:
    return "a minute" if seconds == 60 else f"{seconds // 60} minutes"


def _quality_alarms() -> Iterator[MetricAlarm]:
    """M5. Each variant is checked once a day, and the monitor publishes the worst value of all tasks and variants.

    A failed check publishes nothing: its data is missing, and the age of the last check grows.
    """
    for metric, name, comparison, limit, stat in (
        ("Precision", "precision", "under", 90, "Minimum"),
        ("Recall", "recall", "under", 90, "Minimum"),
        ("FalsePositiveRate", "false-alarms", "over", 10, "Maximum"),
    ):
        yield MetricAlarm(
            name=f"model-{name}",
            description=f"{metric} of a model on the golden set is {comparison} {limit} %",
            runbook="model-regressed",
            metrics=_monitored(metric, stat),
            comparison="under" if comparison == "under" else "over",
            threshold=limit,
            period_s=DAY_S,
            periods=2,
            datapoints=1,
            missing="missing",
            condition="HasEndpoint",
            action="model",
        )
    yield MetricAlarm(
        name="quality-overdue",
        description=f"No successful quality check of a model variant for {QUALITY_OVERDUE_S // HOUR_S} hours",
        runbook="model-regressed",
        metrics=_monitored("QualityAge", "Maximum"),
        comparison="over",
        threshold=QUALITY_OVERDUE_S,
        period_s=HOUR_S,
        missing="ignore",  # the age is published hourly
        condition="HasEndpoint",
        action="model",
        essential=True,
    )


def _monitored(metric: str, stat: str) -> tuple[Metric, ...]:
    return (Metric("value", "", metric, own_dimensions("monitor"), stat=stat),)


def _monitor_alarms() -> Iterator[MetricAlarm]:
    yield MetricAlarm(  # M6
        name="cost-per-picture",
        description="For six hours the cost per image has exceeded MaxCostPerPicture",
        runbook="cost-spike",
        metrics=_monitored("CostPerImage", "Average"),
        comparison="over",
        threshold="{MaxCostPerPicture}",
        period_s=6 * HOUR_S,
        missing="notBreaching",
        condition="HasCostLimit",
        action="ticket",
        essential=True,  # it has a parameter of its own that creates it
    )
    yield MetricAlarm(  # M7; the largest drift of all features
        name="drift",
        description="Images or model outputs have drifted from the baseline (PSI over 0.2)",
        runbook="model-regressed",
        metrics=_monitored("DriftPsi", "Maximum"),
        comparison="over",
        threshold=0.2,
        period_s=300,
        missing="ignore",  # nothing is published between two runs of the monitor
        condition="HasAnalysis",
        action="model",
    )
    yield MetricAlarm(  # M8
        name="uploads-refused",
        description="More than 0.1 % of the uploads of a day were refused",
        runbook="conversion-errors",
        metrics=tuple(
            Metric(name, "", metric, own_dimensions("ingest"), shown=False)
            for name, metric in (("refused", "ClientErrors"), ("handled", "Requests"))
        ),
        formulas=(
            Formula(
                "share",
                "share of refused uploads",
                "IF(FILL(handled, 0) >= 1000, FILL(refused, 0) / FILL(handled, 0), 0)",
            ),
        ),
        comparison="over",
        threshold=0.001,
        period_s=DAY_S,
        missing="notBreaching",
        action="ticket",
    )
    yield MetricAlarm(  # M9; copied by the monitor, as alarms cannot read metrics of another region
        name="cache-hit-ratio",
        description="The cache hit ratio of the CDN has been under 85 % for six hours",
        runbook="cache-storm",
        metrics=_monitored("CacheHitRatio", "Average"),
        comparison="under",
        threshold=85,
        period_s=HOUR_S,
        periods=6,
        missing="notBreaching",  # an hour without requests
        action="ticket",
    )
    yield MetricAlarm(
        name="monitor-missing",
        description="The monitor has not run for an hour",
        runbook="bad-deploy",
        metrics=(Metric("value", "", "Requests", own_dimensions("monitor"), shown=False),),
        # Without a 0 the newest of three hours would decide, and an hour without a run would not be seen for three.
        formulas=(Formula("runs", "runs", "FILL(value, 0)"),),
        comparison="under",
        threshold=1,
        period_s=HOUR_S,
        missing="breaching",
    )
    yield MetricAlarm(
        name="monitor-known",
        description="The monitor has run in at least two hours of the last week",
        runbook="bad-deploy",
        metrics=_monitored("Requests", "Sum"),
        comparison="over",
        threshold=0,
        period_s=HOUR_S,
        periods=WEEK_S // HOUR_S,
        datapoints=2,
        missing="notBreaching",
    )


def composite_ticket_alarms() -> Iterator[CompositeAlarm]:
    """Yield the composite alarms that create a ticket."""
    yield CompositeAlarm(  # not on a first deployment, when the monitor has never run yet
        name="monitor-silent",
        description="The monitor has not run for an hour: its metrics and remedies are missing",
        runbook="bad-deploy",
        any_of_all=(("monitor-missing", "monitor-known"),),
        action="ticket",
    )


def _endpoint_alarms() -> Iterator[MetricAlarm]:
    yield MetricAlarm(
        name="breaker-open",
        description="The circuit breaker of the endpoint is open; small models analyse images instead",
        runbook="model-down",
        metrics=(Metric("value", "", "BreakerOpen", own_dimensions("infer"), shown=False),),
        # Published only when it opens: without a 0 the newest point, however old, would prolong the alarm.
        formulas=(Formula("opened", "times opened", "FILL(value, 0)"),),
        comparison="over",
        threshold=0,
        period_s=300,
        missing="notBreaching",
        condition="HasEndpoint",
        action="ticket",
    )
    yield MetricAlarm(
        name="endpoint-slow",
        description=f"For five minutes a call of the endpoint has taken over {SLOW_CALL_MS // 1000} s on average",
        runbook="model-slow",
        metrics=(Metric("value", "", "InvokeTime", own_dimensions("infer"), stat="Average"),),
        comparison="over",
        threshold=SLOW_CALL_MS,
        period_s=60,
        periods=5,
        missing="notBreaching",  # no image was analysed
        condition="HasEndpoint",
        action="ticket",
    )
    yield MetricAlarm(  # M10
        name="gpu-busy",
        description="GPU utilisation has been over 90 % for an hour",
        runbook="queue-backlog",
        metrics=(
            Metric(
                "value",
                "",
                "GPUUtilization",
                {"EndpointName": "{endpoint}", "VariantName": "main"},
                stat="Average",
                namespace="/aws/sagemaker/Endpoints",
            ),
        ),
        comparison="over",
        threshold=90,
        period_s=300,
        periods=12,
        missing="notBreaching",
        condition="HasEndpoint",
        action="ticket",
    )


def _cold_start_alarm() -> Iterator[MetricAlarm]:
    """Yield the alarm on cold starts of renders.

    The objective allows 5 % to be slow, by the time in the handler. A cold start adds the start of the process: above
    that share, cold starts alone make more responses slow than the objective allows.
    """
    allowed = next(1 - slo.objective for slo in SLOS if slo.name == "viewers-latency")
    metrics = tuple(
        Metric(name, "", metric, own_dimensions("transform"), shown=False)
        for name, metric in (("cold", "ColdRequests"), ("all", "Requests"))
    )
    yield MetricAlarm(
        name="cold-starts",
        description=f"Over six hours more than {allowed:.0%} of the renders waited for a cold start",
        runbook="cold-starts",
        metrics=metrics,
        formulas=(
            Formula(
                "share", "share of cold starts", f"IF(FILL(all, 0) >= {MIN_RENDERS}, FILL(cold, 0) / FILL(all, 0), 0)"
            ),
        ),
        comparison="over",
        threshold=round(allowed, 6),
        period_s=6 * HOUR_S,
        missing="notBreaching",
        action="ticket",
    )


LOOPING = (("recursion-stopped", ("Ingest", "Purge"), ""), ("recursion-stopped-infer", ("Infer",), "HasAnalysis"))
"""Alarms of functions that send to queues which they consume (docs/decisions/0030)."""


def _recursion_alarms() -> Iterator[MetricAlarm]:
    for name, functions, condition in LOOPING:
        metrics = tuple(
            Metric(
                f"dropped_{function.lower()}",
                "",
                "RecursiveInvocationsDropped",
                {"FunctionName": f"{{{function}Function}}"},
                namespace="AWS/Lambda",
                shown=False,
            )
            for function in functions
        )
        total = " + ".join(f"FILL({one.id}, 0)" for one in metrics)
        yield MetricAlarm(
            name=name,
            description="Lambda stopped a bounded message loop as recursive; the messages are in the dead letter queue",
            runbook="redrive",
            metrics=metrics,
            formulas=(Formula("dropped", "stopped invocations", total),),
            comparison="over",
            threshold=0,
            period_s=300,
            missing="notBreaching",
            condition=condition,
            action="ticket",
            essential=True,
        )


def _settings_alarm() -> Iterator[MetricAlarm]:
    """Yield the alarm on the settings, which the monitor reads every five minutes as all functions do."""
    metrics = (
        Metric("invalid", "", "SettingsInvalid", own_dimensions("monitor"), shown=False),
        Metric("unread", "", "SettingsReadFailed", own_dimensions("monitor"), shown=False),
    )
    meaning = "The settings document is invalid or unreadable: functions keep the last valid settings, or fail"
    yield _configuration_alarm("settings-invalid", meaning, metrics, "failed", "failed reads of the settings")


def _secrets_alarm() -> Iterator[MetricAlarm]:
    """Yield the alarm on secrets, which functions read when a signed request arrives."""
    metrics = tuple(
        Metric(function, "", "SigningSecretInvalid", own_dimensions(function), shown=False)
        for function in ("transform", "upload")
    )
    meaning = "A secret with signing keys is invalid and rejected: signed requests are refused until it is replaced"
    yield _configuration_alarm("keys-invalid", meaning, metrics, "rejected", "rejected reads")


def _configuration_alarm(name: str, meaning: str, metrics: tuple[Metric, ...], total: str, label: str) -> MetricAlarm:
    """Return an alarm on any of ``metrics`` within 15 minutes."""
    return MetricAlarm(
        name=name,
        description=meaning,
        runbook="bad-deploy",
        metrics=metrics,
        formulas=(Formula(total, label, " + ".join(f"FILL({one.id}, 0)" for one in metrics)),),
        comparison="over",
        threshold=0,
        period_s=900,
        missing="notBreaching",
        action="ticket",
        essential=True,
    )


def ticket_alarms() -> Iterator[MetricAlarm]:
    """Yield the alarms that create a ticket."""
    yield from _queue_alarms()
    yield from _recursion_alarms()
    yield from _settings_alarm()
    yield from _secrets_alarm()
    yield from _quality_alarms()
    yield from _monitor_alarms()
    yield from _endpoint_alarms()
    yield from _cold_start_alarm()
