"""Dead letters: messages that were given up, why, and how they go back to the queue they came from."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .clients import translate_errors

VISIBILITY_TIMEOUT_S = 120
"""How long a received letter is not shown to others."""

WAIT_S = 2
"""How long is waited for a letter before the queue counts as empty: a short poll asks only some of SQS's servers."""

REDRIVEN = "redriven"
"""Attribute of a message that was a dead letter before: when it was sent back (ISO 8601)."""

UNREADABLE = "bad-upload"
"""The code of a message that cannot be read, however often it is sent."""

_CAUSES = (
    ("code", "cause"),  # ingest's own
    ("ERROR_CODE", "ERROR_MESSAGE"),  # EventBridge's, for an event that never reached its target
)


@dataclass(frozen=True, slots=True)
class DlqMessage:
    """A dead message. ``attributes`` are its message attributes; ``sent_s`` is the Unix time of its death.

    ``trace_header`` is that of the work that it belongs to, "" if it was not traced.
    """

    message_id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, str]
    sent_s: float
    trace_header: str = ""

    @property
    def code(self) -> str:
        """The error code that it died of, "" if none is known."""
        return next((self.attributes[code] for code, _ in _CAUSES if code in self.attributes), "")

    @property
    def cause(self) -> str:
        """Why it died, in words for operators."""
        for code, text in _CAUSES:
            if code in self.attributes:
                return f"{self.attributes[code]}: {self.attributes.get(text, '')}"
        return "no cause: its worker never answered (killed, out of memory or of time)"

    @property
    def has_priority(self) -> bool:
        """Whether it is an event that has a queue of its own, as template.yaml's UrgentRule and HeldRule send them."""
        try:
            document = json.loads(self.body)
            return document["detail-type"] == "ImageHeld" or document["detail"].get("priority") is True
        except (ValueError, TypeError, KeyError, AttributeError):
            return False

    @property
    def subject(self) -> str:
        """What it is about."""
        try:
            document = json.loads(self.body)
            if "detail" in document:
                detail = document["detail"]
                return f"{document['detail-type']} {detail['object']['key'] if 'object' in detail else detail['key']}"
            return f"purge {document['key']}"
        except (ValueError, TypeError, KeyError):
            return self.body[:120]


class DeadLetterQueue:
    """The dead letters in the queue ``url``. Every fault is Unavailable; what was not sent by then is still there."""

    def __init__(self, client: Any, url: str, *, wait_s: int = WAIT_S) -> None:
        self._client = client
        self._wait_s = wait_s
        self.url = url

    def read_all(self) -> Iterator[DlqMessage]:
        """Each that was there at the start, hidden from others meanwhile. What comes later is left lying."""
        started_s = time.time()
        newer: list[str] = []
        seen: set[str] = set()
        while letters := self._receive():
            for letter in letters:
                if letter.sent_s > started_s or letter.message_id in seen:
                    newer.append(letter.receipt_handle)
                    continue
                seen.add(letter.message_id)
                yield letter
        self.make_visible(newer)

    def redrive(self, message: DlqMessage, queue_url: str) -> None:
        """Send ``letter`` to ``queue_url``, marked as redriven and in its own trace, and only then delete it here."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        traced = {"AWSTraceHeader": {"DataType": "String", "StringValue": message.trace_header}}
        with translate_errors(f"redrive {message.message_id}"):
            answer = self._client.send_message(
                QueueUrl=queue_url,
                MessageBody=message.body,
                MessageAttributes={REDRIVEN: {"DataType": "String", "StringValue": now}},
                MessageSystemAttributes=traced if message.trace_header else {},
            )
            _ = answer["MessageId"]  # without one it was not SQS that answered
            self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt_handle)

    def make_visible(self, receipt_handles: Iterable[str]) -> None:
        """Let letters be received again at once."""
        for handle in receipt_handles:
            with translate_errors(f"show a letter of {self.url}"):
                self._client.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0)

    def peek(self) -> list[DlqMessage]:
        """Up to ten letters, which everybody else goes on seeing: for showing them, not for handling them."""
        return self._receive(hidden_for_s=0, wait_s=0)

    def count(self) -> int:
        """About how many letters there are to be seen."""
        name = "ApproximateNumberOfMessages"
        with translate_errors(f"attributes of {self.url}"):
            answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
            return int(answer["Attributes"][name])

    def _receive(self, *, hidden_for_s: int = VISIBILITY_TIMEOUT_S, wait_s: int | None = None) -> list[DlqMessage]:
        with translate_errors(f"letters of {self.url}"):
            answer = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=self._wait_s if wait_s is None else wait_s,
                VisibilityTimeout=hidden_for_s,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp", "AWSTraceHeader"],
            )
            return [_parse_message(message) for message in answer.get("Messages", [])]


def _parse_message(message: Mapping[str, Any]) -> DlqMessage:
    attributes = {name: one.get("StringValue", "") for name, one in message.get("MessageAttributes", {}).items()}
    told = message["Attributes"]
    return DlqMessage(
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        attributes,
        int(told["SentTimestamp"]) / 1000,
        told.get("AWSTraceHeader", ""),
    )
