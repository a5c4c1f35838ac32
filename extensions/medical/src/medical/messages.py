"""Consume the queues of uploads: STAT studies have a queue of their own, and a function that waits for no other."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from darkroom.aws.telemetry import Observer
from darkroom.errors import Unavailable, get_error_code, is_fault

from .ingest import Ingest, Outcome
from .store import INCOMING, STAT, unquote_event_key

MIN_REMAINING_S = 480.0
"""Time that an ingest may take. With less left in the invocation, a message is received again."""

FAILED_WAIT_S = 900.0
"""Time until a message whose ingest failed is received again."""

type Send = Callable[[str], None]
"""Sends a message to the queue of STAT studies."""

type Delay = Callable[[str, float], None]
"""Makes a received message visible again, some seconds from now. Raises Unavailable."""


def consume(
    event: Mapping[str, Any],
    ingest: Ingest,
    observer: Observer,
    remaining_s: Callable[[], float],
    delay: Delay,
    send_urgent: Send | None = None,
) -> dict[str, Any]:
    """Process the messages of ``event``; return those that failed, which SQS delivers again.

    They are visible again at once if no time was left for them, and after FAILED_WAIT_S otherwise; the queue's own
    timeout is longer, for invocations that end without an answer. With ``send_urgent``, uploads whose header has the
    priority STAT are sent on before any other is ingested.
    """
    waiting = []
    for record in event["Records"]:
        names = list(read_names(record["body"]))
        if send_urgent is not None and names and all(map(ingest.is_urgent, names)):
            send_urgent(record["body"])
            observer.count("MovedToStat")
            continue
        waiting.append((record, names))
    failed = []
    for record, names in waiting:
        has_time = remaining_s() > MIN_REMAINING_S
        if has_time and _process(names, ingest, observer):
            continue
        failed.append({"itemIdentifier": record["messageId"]})
        with suppress(Unavailable):  # the queue's own timeout applies
            delay(record["receiptHandle"], FAILED_WAIT_S if has_time else 0.0)
    return {"batchItemFailures": failed}


def _process(names: list[str], ingest: Ingest, observer: Observer) -> bool:
    """Ingest the uploads of one message; return whether the message is done."""
    try:
        for name in names:
            _log(observer, ingest.ingest(name))
    except Exception as error:  # its text may have the name of the upload
        observer.count("Faults" if is_fault(error) else "Errors")
        frames = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        observer.log("ERROR", "message failed", code=get_error_code(error), error=type(error).__name__, frames=frames)
        return False
    return True


def _log(observer: Observer, outcome: Outcome) -> None:
    observer.count("Uploads", outcome=outcome.outcome)
    level = "INFO" if outcome.outcome in ("stored", "missing") else "WARNING"
    observer.log(level, "handled", **outcome.fields())


def read_names(body: str) -> Iterator[str]:
    """Yield the names of uploads in an event notification of S3; others, such as its test event, have none."""
    try:
        records = json.loads(body).get("Records") or ()
    except (ValueError, AttributeError, RecursionError):
        return
    for record in records:
        name = unquote_event_key(str(record["s3"]["object"]["key"]))
        if name.startswith((INCOMING, STAT)):
            yield name
