"""Messages in SQS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import batched
from typing import Any

from ..errors import Unavailable
from .clients import translate_errors

BATCH = 10
"""SQS's limit of one SendMessageBatch."""

TRACE_HEADER = "AWSTraceHeader"
"""The one system attribute that a sender may set (SQS developer guide, "Message system attributes")."""


class Queue:
    """One queue, of JSON messages; every fault is Unavailable.

    ``trace_header`` tells the trace that what is sent belongs to, ``Root=…;Parent=…;Sampled=1``, "" if none: whoever
    receives it can go on with it.
    """

    def __init__(self, client: Any, url: str, trace_header: Callable[[], str] = lambda: "") -> None:
        self._client = client
        self._trace_header = trace_header
        self.url = url

    @property
    def name(self) -> str:
        """Its name, which its ARN ends in too."""
        return self.url.rpartition("/")[2]

    def send(
        self, body: Mapping[str, object], *, delay_s: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Send one message, to be seen after ``delay_s`` (at most 900) seconds, with string ``attributes``."""
        self.send_text(_text(body), delay_s=delay_s, attributes=attributes)

    def send_text(self, text: str, *, delay_s: int = 0, attributes: Mapping[str, str] | None = None) -> None:
        """The same with a body that need not be JSON."""
        named = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
        with translate_errors(f"send to {self.url}"):
            answer = self._client.send_message(
                QueueUrl=self.url,
                MessageBody=text,
                DelaySeconds=delay_s,
                MessageAttributes=named,
                MessageSystemAttributes=self._trace_attributes(),
            )
            _ = answer["MessageId"]  # without one it was not SQS that answered

    def send_many(self, bodies: Iterable[Mapping[str, object]], *, delay_s: int | None = None) -> int:
        """Send messages, ten in a request; returns how many. Raises Unavailable if one was not sent.

        They are seen after ``delay_s`` seconds, at most 900, or after the queue's own delay.
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
        """Let a received message be seen again ``seconds`` from now."""
        with translate_errors(f"hide a message of {self.url}"):
            self._client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=receipt_handle, VisibilityTimeout=int(seconds)
            )

    def count_waiting(self) -> int:
        """About how many messages wait to be received, now or after a delay. Those being worked on are not counted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        with translate_errors(f"attributes of {self.url}"):
            answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
            return sum(int(answer["Attributes"][name]) for name in names)

    def _trace_attributes(self) -> dict[str, dict[str, str]]:
        header = self._trace_header()
        return {TRACE_HEADER: {"DataType": "String", "StringValue": header}} if header else {}


def _text(body: Mapping[str, object]) -> str:
    return json.dumps(dict(body), separators=(",", ":"))
