"""A message as Lambda hands it over from a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..aws.dead_letter_queue import REDRIVEN
from ..aws.sqs import TRACE_HEADER

POSTPONED = "postponed"
"""Attribute of a message that its consumer has sent again to wait: how often."""


@dataclass(frozen=True, slots=True)
class SqsMessage:
    """A message as it was received from the queue of that name, for the ``receives``-th time.

    ``trace_header`` is that of who sent it, ``redriven`` when it was sent back from the dead letters, if it was, and
    ``postponed`` how often it was sent again to wait.
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
        """The message in a ``record`` of Lambda's SQS event."""
        told = record["attributes"]
        return cls(
            record["eventSourceARN"].rpartition(":")[2],
            record["body"],
            record["receiptHandle"],
            int(told["ApproximateReceiveCount"]),
            told.get(TRACE_HEADER, ""),
            read_redriven(record),
            int(_attribute(record, POSTPONED) or 0),
        )


def read_redriven(record: Mapping[str, Any]) -> str:
    """When the message in a ``record`` of Lambda's SQS event was sent back after it had died, "" if it never was."""
    return _attribute(record, REDRIVEN)


def _attribute(record: Mapping[str, Any], name: str) -> str:
    return str(record.get("messageAttributes", {}).get(name, {}).get("stringValue", ""))
