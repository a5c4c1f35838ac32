"""Process SQS messages: on a fault a message is retried later, after the last retry it goes to the DLQ."""

from __future__ import annotations

import json
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from darkroom.aws.telemetry import Observer
from darkroom.errors import BadUpload, DarkroomError, Unavailable
from darkroom.services.request_metrics import count_failure, count_request

from ..aws.record import build_image_id, pad_sequencer
from ..aws.sqs import REDRIVEN, TRACE_HEADER, Queue

POSTPONED = "postponed"
"""Attribute of a message that its consumer sent again to wait: how often."""

MAX_ID_CHARACTERS = 64
"""Limit of a correlation id. Darkroom's have 32 characters, those of EventBridge 36; longer ones are cut off."""

_CREATED = "Object Created"


@dataclass(frozen=True, slots=True)
class SqsMessage:
    """A message that was received from ``queue`` for the ``receives``-th time.

    ``trace_header`` is that of the sender. ``redriven`` is the time of its redrive from the DLQ, "" without one.
    ``postponed`` is how often it was sent again to wait.
    """

    queue: str
    body: str
    receipt_handle: str
    receives: int
    trace_header: str = ""
    redriven: str = ""
    postponed: int = 0

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> SqsMessage:
        """Parse a ``record`` of Lambda's SQS event."""
        attributes = record["attributes"]
        return cls(
            record["eventSourceARN"].rpartition(":")[2],
            record["body"],
            record["receiptHandle"],
            int(attributes["ApproximateReceiveCount"]),
            attributes.get(TRACE_HEADER, ""),
            read_redriven(record),
            int(_read_attribute(record, POSTPONED) or 0),
        )


def read_redriven(record: Mapping[str, Any]) -> str:
    """Return when the message in a ``record`` of Lambda's SQS event was redriven from the DLQ, "" if it was not."""
    return _read_attribute(record, REDRIVEN)


def read_correlation_id(body: str) -> str:
    """Return the id of the image that the message ``body`` is about, or that of the event, "" if it has neither.

    An event of S3 has no image id. It is computed if the bucket is versioned.
    """
    try:
        event = json.loads(body)
        detail = event["detail"]
        if detail.get("id"):
            return str(detail["id"])[:MAX_ID_CHARACTERS]
        created = detail.get("object", {}) if event["detail-type"] == _CREATED else {}
        if created.get("version-id"):
            return build_image_id(created["key"], pad_sequencer(created["sequencer"]), created["version-id"])
        return str(event.get("id", ""))[:MAX_ID_CHARACTERS]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""


def _read_attribute(record: Mapping[str, Any], name: str) -> str:
    return str(record.get("messageAttributes", {}).get(name, {}).get("stringValue", ""))


FIRST_WAIT_S = 15
MAX_WAIT_S = 900

MAX_CAUSE_CHARACTERS = 1_000
"""Limit of the attribute ``cause``."""


def backoff_s(receives: int) -> int:
    """Return the seconds to hide a message that failed ``receives`` times: 15, 30, 60 ... up to 900."""
    return int(min(FIRST_WAIT_S * 2 ** min(max(receives, 1) - 1, 16), MAX_WAIT_S))


def describe_error(error: Exception) -> tuple[str, str]:
    """Return code and cause of ``error`` for operators. For anything but a DarkroomError, the cause is a traceback."""
    if isinstance(error, DarkroomError):
        return error.code, (error.detail or error.message)[:MAX_CAUSE_CHARACTERS]
    return "defect", "".join(traceback.format_exception(error))[-MAX_CAUSE_CHARACTERS:]


def failure_attributes(error: Exception, *, attempts: int, trace_id: str, redriven: str = "") -> dict[str, str]:
    """Return the attributes of a DLQ message: ``code``, ``cause``, ``attempts``; the others if they are not empty."""
    code, cause = describe_error(error)
    attributes = {"code": code, "cause": cause, "attempts": str(attempts), "trace_id": trace_id, REDRIVEN: redriven}
    return {name: value for name, value in attributes.items() if value}


@dataclass(frozen=True)
class QueueConsumer(ABC):
    """The consumer of one queue with its DLQ.

    A message is sent to the DLQ after ``max_receives``, with its cause. SQS itself moves those whose worker dies.
    ``work`` is the name of the trace segment. No message is started with less than ``min_remaining_s`` left in the
    invocation.
    """

    work: ClassVar[str]
    min_remaining_s: ClassVar[float]

    observer: Observer
    dead_letters: Queue
    max_receives: int

    def receive(self, message: SqsMessage, remaining_s: Callable[[], float]) -> None:
        """Process ``message``: it may be deleted if this returns, and is received again if this raises."""
        if remaining_s() < self.min_remaining_s:
            self.hide(message, 0)
            raise Unavailable("There is no time left in this invocation")
        continued = {"trace_header": message.trace_header, "correlation_id": read_correlation_id(message.body)}
        with self.observer.message(self.work, **continued):
            try:
                self.handle(message)
            except Exception as error:
                self._retry_or_give_up(message, error)

    @abstractmethod
    def handle(self, message: SqsMessage) -> None:
        """Carry out ``message`` and log it; raises to have it retried."""

    @abstractmethod
    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Hide ``message`` in its queue."""

    def log_handled(self, message: SqsMessage, outcome: str, **fields: object) -> None:
        """Count and log a completed message."""
        count_request(self.observer)
        self.observer.annotate("outcome", outcome)
        stages_ms = {name: round(spent, 1) for name, spent in self.observer.timings_ms.items()}
        self.observer.log("INFO", "handled", outcome=outcome, **fields, receives=message.receives, ms=stages_ms)

    def _retry_or_give_up(self, message: SqsMessage, error: Exception) -> None:
        """Send ``message`` to the DLQ if it is unreadable or was the last retry; otherwise hide it, and raise."""
        count_request(self.observer)
        count_failure(self.observer, error)
        last = message.receives >= self.max_receives or isinstance(error, BadUpload)
        self.log_failure(message, error, last=last)
        if not last:
            self.hide(message, backoff_s(message.receives))
            raise error
        try:
            self.record_failure(message)
        except Exception as further:
            code, cause = describe_error(further)
            self.observer.log("ERROR", "failure not recorded", code=code, cause=cause)
        self.send_to_dlq(message, message.body, error)

    def record_failure(self, message: SqsMessage) -> None:  # noqa: B027, only some work is waited for
        """Record that ``message`` is given up, for those who wait for its result."""

    def log_failure(self, message: SqsMessage, error: Exception, *, last: bool) -> None:
        """Log the cause of a failed ``message``."""
        code, cause = describe_error(error)
        text = "message sent to DLQ" if last else "message failed"
        self.observer.log("ERROR", text, code=code, cause=cause, receives=message.receives, body=message.body)

    def send_to_dlq(self, message: SqsMessage, body: str, error: Exception) -> None:
        """Send ``body`` to the DLQ, with what is known of ``message``.

        A message that was redriven once keeps that attribute: it is not redriven automatically again.
        """
        attributes = failure_attributes(
            error, attempts=message.receives, trace_id=self.observer.trace_id(), redriven=message.redriven
        )
        self.dead_letters.send_text(body, attributes=attributes)
        self.observer.count("GivenUp", reason=attributes["code"])
        self.observer.record_error(error)
