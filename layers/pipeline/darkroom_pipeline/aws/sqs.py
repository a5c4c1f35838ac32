"""Send and delay messages of SQS queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import batched
from typing import Any

from darkroom.errors import Unavailable

from .clients import translate_errors

BATCH = 10
"""SQS's maximum of messages in one SendMessageBatch."""

TRACE_HEADER = "AWSTraceHeader"
"""The only system attribute that a sender may set (SQS developer guide, "Message system attributes")."""

REDRIVEN = "redriven"
"""Attribute of a message that was redriven from a DLQ: when (ISO 8601)."""


class Queue:
    """One queue of JSON messages. Every fault is Unavailable.

    ``trace_header`` returns the trace that a message belongs to, ``Root=…;Parent=…;Sampled=1``, "" if there is none;
    the consumer can continue it.
    """

    def __init__(self, client: Any, url: str, trace_header: Callable[[], str] = lambda: "") -> None:
        self._client = client
        self._trace_header = trace_header
        self.url = url

    @property
    def name(self) -> str:
        """The name of the queue, which is also the end of its ARN."""
        return self.url.rpartition("/")[2]

    def send(
        self, body: Mapping[str, object], *, delay_s: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Send one message with string ``attributes``, delayed by ``delay_s`` (at most 900) seconds."""
        self.send_text(_text(body), delay_s=delay_s, attributes=attributes)

    def send_text(self, text: str, *, delay_s: int = 0, attributes: Mapping[str, str] | None = None) -> None:
        """Send one message whose body need not be JSON."""
        named = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
        with translate_errors(f"send to {self.url}"):
            answer = self._client.send_message(
                QueueUrl=self.url,
                MessageBody=text,
                DelaySeconds=delay_s,
                MessageAttributes=named,
                MessageSystemAttributes=self._trace_attributes(),
            )
            _ = answer["MessageId"]  # a response without one is not from SQS

    def send_many(self, bodies: Iterable[Mapping[str, object]], *, delay_s: int | None = None) -> int:
        """Send messages, ten in a request; return how many. Raises Unavailable if one was not sent.

        ``delay_s`` is at most 900; None is the queue's own delay.
        """
        sent, delay = 0, {} if delay_s is None else {"DelaySeconds": delay_s}
        for batch in batched(bodies, BATCH, strict=False):
            further = {"MessageSystemAttributes": self._trace_attributes(), **delay}
            entries = [{"Id": str(number), "MessageBody": _text(body)} | further for number, body in enumerate(batch)]
            with translate_errors(f"send {len(entries)} to {self.url}"):
                answer = self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
            if len(answer.get("Successful", [])) != len(entries):
                raise Unavailable(detail=f"send {len(entries)} to {self.url}: {answer.get('Failed')}")
            sent += len(entries)
        return sent

    def set_visibility_timeout(self, receipt_handle: str, seconds: float) -> None:
        """Make a received message visible again ``seconds`` from now."""
        with translate_errors(f"change the visibility of a message of {self.url}"):
            self._client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=receipt_handle, VisibilityTimeout=int(seconds)
            )

    def count_waiting(self) -> int:
        """Return the approximate number of messages waiting, delayed ones included, those in flight not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        with translate_errors(f"attributes of {self.url}"):
            answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
            return sum(int(answer["Attributes"][name]) for name in names)

    def _trace_attributes(self) -> dict[str, dict[str, str]]:
        header = self._trace_header()
        return {TRACE_HEADER: {"DataType": "String", "StringValue": header}} if header else {}


def _text(body: Mapping[str, object]) -> str:
    return json.dumps(dict(body), separators=(",", ":"))
