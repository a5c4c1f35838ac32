"""Tickets about queues: old messages, deep queues, dead letters and stopped message loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .alarm import HOUR_S, LATE_ANALYSIS, MetricAlarm
from .measures import Formula, add_up, lambda_metric, queue_metric


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with the limits of its oldest message's age and of its depth (a number, a parameter, or None).

    ``noticed`` is what users notice of a backlog.
    """

    name: str
    age_s: int
    capacity: float | str | None
    noticed: str
    condition: str = ""


_LARGER = "nothing; some images stay larger than necessary"
_NOT_INGESTED = "some new images are not shown, or images that were overwritten or deleted still are"
_NOT_ANALYSED = "some images have no tags, and those that must be redacted or checked are not shown"

QUEUES = (
    Queue("ingest", 300, "{IngestConcurrency}", "new images are shown later"),
    Queue("ingest-priority", 60, None, "images of urgent uploads are shown later", "HasUrgent"),
    Queue("infer", 900, "{InferConcurrency}", LATE_ANALYSIS, "HasAnalysis"),
    Queue("infer-priority", 900, "{InferPriorityConcurrency}", LATE_ANALYSIS, "HasAnalysis"),
    # two functions, ten messages each
    Queue("purge", 300, 20, "images that were overwritten or deleted are shown for longer"),
    Queue("refine", 6 * HOUR_S, None, _LARGER, "HasRefine"),  # in the background
)
DEAD_LETTERS = (
    ("dead-letters", ("ingest", "review", "purge"), _NOT_INGESTED, ""),
    ("infer-dead-letters", ("infer",), _NOT_ANALYSED, "HasAnalysis"),
    ("refine-dead-letters", ("refine",), _LARGER, "HasRefine"),
)
"""Alarms on dead letters, each with the functions whose queues exist together."""


def queue_alarms() -> Iterator[MetricAlarm]:
    """Yield the alarms on old messages, deep queues and dead letters."""
    for queue in QUEUES:
        yield MetricAlarm(
            name=f"{queue.name}-age",
            description=f"The oldest message of the {queue.name} queue is older than {_minutes(queue.age_s)}",
            noticed=queue.noticed,
            runbook="queue-backlog",
            metrics=(queue_metric("value", queue.name, "ApproximateAgeOfOldestMessage", shown=True),),
            threshold=queue.age_s,
            period_s=60,
            periods=3,
            missing="notBreaching",  # SQS publishes no metrics of a queue that was idle for hours
            condition=queue.condition,
        )
        if queue.capacity is None:
            continue
        yield MetricAlarm(
            name=f"{queue.name}-depth",
            description=f"For 15 minutes the {queue.name} queue has exceeded what its workers process at once",
            noticed=queue.noticed,
            runbook="queue-backlog",
            metrics=(
                queue_metric("value", queue.name, "ApproximateNumberOfMessagesVisible", stat="Minimum", shown=True),
            ),
            threshold=queue.capacity,
            period_s=300,
            periods=3,
            condition=queue.condition,
        )
    yield from _dead_letter_alarms()


def _dead_letter_alarms() -> Iterator[MetricAlarm]:
    for name, functions, noticed, condition in DEAD_LETTERS:
        metrics = tuple(
            queue_metric(function, f"{function}-dead-letters", "ApproximateNumberOfMessagesVisible")
            for function in functions
        )
        yield MetricAlarm(
            name=name,
            description=f"The dead letter queue of {' or '.join(functions)} has messages",
            noticed=noticed,
            runbook="redrive",
            metrics=metrics,
            formulas=(Formula("messages", "dead letters", add_up(metrics)),),
            threshold=0,
            period_s=60,
            condition=condition,
            essential=True,
        )


def _minutes(seconds: int) -> str:
    return "a minute" if seconds == 60 else f"{seconds // 60} minutes"


LOOPING = (
    ("recursion-stopped", ("Ingest", "Purge"), _NOT_INGESTED, ""),
    ("recursion-stopped-infer", ("Infer",), _NOT_ANALYSED, "HasAnalysis"),
)
"""Alarms of functions that send to queues which they consume (decision 30)."""


def recursion_alarms() -> Iterator[MetricAlarm]:
    """Yield the alarms on message loops that Lambda stopped."""
    for name, functions, noticed, condition in LOOPING:
        metrics = tuple(
            lambda_metric(f"dropped_{function.lower()}", f"{function}Function", "RecursiveInvocationsDropped")
            for function in functions
        )
        yield MetricAlarm(
            name=name,
            description="Lambda stopped a bounded message loop as recursive; the messages are in the dead letter queue",
            noticed=noticed,
            runbook="redrive",
            metrics=metrics,
            formulas=(Formula("dropped", "stopped invocations", add_up(metrics)),),
            threshold=0,
            period_s=300,
            condition=condition,
        )
