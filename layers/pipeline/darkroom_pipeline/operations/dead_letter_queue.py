"""Dead letter queues: messages that failed, their cause, and their redrive to the source queue."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..aws.clients import translate_errors
from ..aws.sqs import REDRIVEN

VISIBILITY_TIMEOUT_S = 120
"""Visibility timeout of a received message."""

WAIT_S = 2
"""Long poll before the queue counts as empty: a short poll queries only some of SQS's servers."""

UNREADABLE = "bad-upload"
"""The code of a message that cannot be parsed, however often it is sent."""

_CAUSES = (
    ("code", "cause"),  # of queue consumers
    ("ERROR_CODE", "ERROR_MESSAGE"),  # of EventBridge, for an event that did not reach its target
)


@dataclass(frozen=True, slots=True)
class DlqMessage:
    """A message in a DLQ. ``attributes`` are its message attributes; ``sent_s`` is the Unix time of its failure.

    ``trace_header`` is that of its trace, "" if it was not traced.
    """

    message_id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, str]
    sent_s: float
    trace_header: str = ""

    @property
    def code(self) -> str:
        """The error code, "" if unknown."""
        return next((self.attributes[code] for code, _ in _CAUSES if code in self.attributes), "")

    @property
    def cause(self) -> str:
        """The cause, for operators."""
        for code, text in _CAUSES:
            if code in self.attributes:
                return f"{self.attributes[code]}: {self.attributes.get(text, '')}"
        return "no cause: its worker did not finish (killed, out of memory or out of time)"

    @property
    def has_priority(self) -> bool:
        """Whether it is an event for the priority queue, by UrgentRule and HeldRule of template.yaml."""
        try:
            document = json.loads(self.body)
            return document["detail-type"] == "ImageHeld" or document["detail"].get("priority") is True
        except (ValueError, TypeError, KeyError, AttributeError):
            return False

    @property
    def subject(self) -> str:
        """What the message is about, for operators."""
        try:
            document = json.loads(self.body)
            if "detail" in document:
                detail = document["detail"]
                return f"{document['detail-type']} {detail['object']['key'] if 'object' in detail else detail['key']}"
            return f"purge {document['key']}"
        except (ValueError, TypeError, KeyError):
            return self.body[:120]


class DeadLetterQueue:
    """The DLQ ``url``. Every fault raises Unavailable; a message that was not redriven stays in the queue."""

    def __init__(self, client: Any, url: str, *, wait_s: int = WAIT_S) -> None:
        self._client = client
        self._wait_s = wait_s
        self.url = url

    def read_all(self) -> Iterator[DlqMessage]:
        """Yield each message that was in the queue at the start, hidden meanwhile. Newer messages are left alone."""
        started_s = time.time()
        newer: list[str] = []
        seen: set[str] = set()
        while messages := self._receive():
            for message in messages:
                if message.sent_s > started_s or message.message_id in seen:
                    newer.append(message.receipt_handle)
                    continue
                seen.add(message.message_id)
                yield message
        self.make_visible(newer)

    def redrive(self, message: DlqMessage, queue_url: str) -> None:
        """Send ``message`` to ``queue_url``, marked as redriven and in its own trace, then delete it here."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        traced = {"AWSTraceHeader": {"DataType": "String", "StringValue": message.trace_header}}
        with translate_errors(f"redrive {message.message_id}"):
            response = self._client.send_message(
                QueueUrl=queue_url,
                MessageBody=message.body,
                MessageAttributes={REDRIVEN: {"DataType": "String", "StringValue": now}},
                MessageSystemAttributes=traced if message.trace_header else {},
            )
            _ = response["MessageId"]  # without one the response is not from SQS
            self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt_handle)

    def make_visible(self, receipt_handles: Iterable[str]) -> None:
        """Make messages visible again at once."""
        for handle in receipt_handles:
            with translate_errors(f"make visible in {self.url}"):
                self._client.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0)

    def peek(self) -> list[DlqMessage]:
        """Return up to ten messages without hiding them: for display, not for processing."""
        return self._receive(hidden_for_s=0, wait_s=0)

    def count(self) -> int:
        """Return the approximate number of visible messages."""
        name = "ApproximateNumberOfMessages"
        with translate_errors(f"attributes of {self.url}"):
            response = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
            return int(response["Attributes"][name])

    def _receive(self, *, hidden_for_s: int = VISIBILITY_TIMEOUT_S, wait_s: int | None = None) -> list[DlqMessage]:
        with translate_errors(f"receive from {self.url}"):
            response = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=self._wait_s if wait_s is None else wait_s,
                VisibilityTimeout=hidden_for_s,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp", "AWSTraceHeader"],
            )
            return [_parse_message(message) for message in response.get("Messages", [])]


def _parse_message(message: Mapping[str, Any]) -> DlqMessage:
    attributes = {name: one.get("StringValue", "") for name, one in message.get("MessageAttributes", {}).items()}
    system = message["Attributes"]
    return DlqMessage(
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        attributes,
        int(system["SentTimestamp"]) / 1000,
        system.get("AWSTraceHeader", ""),
    )
