"""Tickets: what somebody has to look at, but not tonight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .alarm import MetricAlarm
from .measures import Formula, Metric, of
from .panel import LABELLED_TASKS

VARIANTS = ("main", "canary", "in-process")
"""Who may have looked at the golden set: the variants of the endpoint, and the functions themselves."""

HOUR_S, DAY_S = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, how long a message may wait in it, and how many may: what its workers take at once (number or YAML).

    Without a ``capacity`` any number may.
    """

    name: str
    age_s: int
    capacity: float | str | None
    condition: str = "HasAlarms"


_SHARE = "!FindInMap [EndpointShares, !Ref EndpointConcurrency, {}]"

QUEUES = (
    Queue("ingest", 300, "!Ref IngestConcurrency"),
    Queue("infer", 900, "!FindInMap [EndpointShares, !Ref EndpointConcurrency, Normal]", "HasAnalysisAlarms"),
    Queue(
        "infer-priority", 900, "!FindInMap [EndpointShares, !Ref EndpointConcurrency, Priority]", "HasAnalysisAlarms"
    ),
    Queue("purge", 300, 20),  # two functions, ten messages each
    Queue("refine", 6 * HOUR_S, None, "HasRefineAlarms"),  # nobody waits for it
)
DEAD_LETTERS = (
    ("ingest", "HasAlarms"),
    ("infer", "HasAnalysisAlarms"),
    ("purge", "HasAlarms"),
    ("refine", "HasRefineAlarms"),
)


def _of_queue(queue: str, metric: str, stat: str) -> tuple[Metric, ...]:
    return (Metric("value", "", metric, {"QueueName": f"{{stack}}-{queue}"}, stat=stat, namespace="AWS/SQS"),)


def _queues() -> Iterator[MetricAlarm]:
    for queue in QUEUES:
        yield MetricAlarm(
            name=f"{queue.name}-age",
            meaning=f"A message has waited in the {queue.name} queue for over {queue.age_s // 60} minutes",
            runbook="queue-backlog",
            metrics=_of_queue(queue.name, "ApproximateAgeOfOldestMessage", "Maximum"),
            comparison="over",
            threshold=queue.age_s,
            period_s=60,
            periods=3,
            missing="notBreaching",  # SQS tells nothing of a queue that has slept for hours
            condition=queue.condition,
            action="ticket",
        )
        if queue.capacity is None:
            continue
        yield MetricAlarm(
            name=f"{queue.name}-depth",
            meaning=f"For 15 minutes more has waited in the {queue.name} queue than its workers take at once",
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
            meaning=f"Messages of the {name} queue were given up",
            runbook="redrive",
            metrics=_of_queue(f"{name}-dead-letters", "ApproximateNumberOfMessagesVisible", "Maximum"),
            comparison="over",
            threshold=0,
            period_s=60,
            missing="notBreaching",
            condition=condition,
            action="ticket",
        )


def _quality() -> Iterator[MetricAlarm]:
    """M5. The quality watch runs once a day; a day without a figure is filled with one that is no reason to worry."""
    for metric, name, comparison, limit, fine, fold in (
        ("Precision", "precision", "under", 80, 100, "MIN"),
        ("Recall", "recall", "under", 80, 100, "MIN"),
        ("FalsePositiveRate", "false-alarms", "over", 10, 0, "MAX"),
    ):
        metrics = tuple(
            Metric(
                f"{task}_{variant}".replace("-", "_"),
                "",
                metric,
                of("monitor", task=task, variant=variant),
                stat="Average",
                shown=False,
            )
            for task in LABELLED_TASKS
            for variant in VARIANTS
        )
        every = ", ".join(f"FILL({one.id}, {fine})" for one in metrics)
        yield MetricAlarm(
            name=f"model-{name}",
            meaning=f"{metric} of a model on the golden set is {comparison} {limit} %",
            runbook="model-regressed",
            metrics=metrics,
            formulas=(Formula("worst", f"worst {metric}", f"{fold}([{every}])"),),
            comparison="under" if comparison == "under" else "over",
            threshold=limit,
            period_s=DAY_S,
            periods=2,
            datapoints=1,
            missing="notBreaching",
            condition="HasAnalysisAlarms",
            action="ticket",
        )


def _monitored(metric: str, stat: str) -> tuple[Metric, ...]:
    return (Metric("value", "", metric, of("monitor"), stat=stat),)


def _figures() -> Iterator[MetricAlarm]:
    yield MetricAlarm(  # M6
        name="cost-per-picture",
        meaning="For six hours pictures have cost more than MaxCostPerPicture",
        runbook="cost-spike",
        metrics=_monitored("CostPerPicture", "Average"),
        comparison="over",
        threshold="!Ref MaxCostPerPicture",
        period_s=6 * HOUR_S,
        missing="notBreaching",
        condition="HasCostAlarm",
        action="ticket",
    )
    yield MetricAlarm(  # M7; that of the largest change there is
        name="drift",
        meaning="Pictures, or what models make of them, have moved away from the baseline (PSI over 0.2)",
        runbook="model-regressed",
        metrics=_monitored("DriftPsi", "Maximum"),
        comparison="over",
        threshold=0.2,
        period_s=300,
        missing="ignore",  # between two runs of the monitor nothing has changed
        condition="HasAnalysisAlarms",
        action="ticket",
    )
    yield MetricAlarm(  # M8
        name="uploads-refused",
        meaning="Over a day more than one of a thousand uploads was refused",
        runbook="conversion-errors",
        metrics=tuple(
            Metric(name, "", metric, of("ingest"), shown=False)
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
    yield MetricAlarm(  # M9; brought home by the monitor, as alarms cannot look into another region
        name="cache-hit-ratio",
        meaning="In each of six hours the CDN had fewer than 85 of 100 pictures",
        runbook="cache-storm",
        metrics=_monitored("CacheHitRatio", "Average"),
        comparison="under",
        threshold=85,
        period_s=HOUR_S,
        periods=6,
        missing="notBreaching",  # an hour in which nobody asked
        action="ticket",
    )
    yield MetricAlarm(
        name="monitor-silent",
        meaning="The monitor has not run for an hour: the figures that it brings are missing, and so are its remedies",
        runbook="bad-deploy",
        metrics=_monitored("Requests", "Sum"),
        comparison="under",
        threshold=1,
        period_s=HOUR_S,
        missing="breaching",
        action="ticket",
    )


def _endpoint() -> Iterator[MetricAlarm]:
    yield MetricAlarm(
        name="breaker-open",
        meaning="The endpoint failed so often that it is no longer asked; small models look instead",
        runbook="model-down",
        metrics=(Metric("value", "", "BreakerOpen", of("infer"), shown=False),),
        # It is told of only when it opens: without a 0 the newest point, old as it is, would hold the alarm for longer.
        formulas=(Formula("opened", "times it opened", "FILL(value, 0)"),),
        comparison="over",
        threshold=0,
        period_s=300,
        missing="notBreaching",
        condition="HasEndpointAlarms",
        action="ticket",
    )
    yield MetricAlarm(  # M10
        name="gpu-busy",
        meaning="For an hour the GPU has been busy for more than 90 % of the time",
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
        condition="HasEndpointAlarms",
        action="ticket",
    )


def tickets() -> Iterator[MetricAlarm]:
    """Every alarm that becomes a ticket."""
    yield from _queues()
    yield from _quality()
    yield from _figures()
    yield from _endpoint()
