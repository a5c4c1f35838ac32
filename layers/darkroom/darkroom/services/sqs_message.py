"""An SQS message as Lambda delivers it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..aws.dead_letter_queue import REDRIVEN
from ..aws.record import build_image_id, pad_sequencer
from ..aws.sqs import TRACE_HEADER

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
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""


def _read_attribute(record: Mapping[str, Any], name: str) -> str:
    return str(record.get("messageAttributes", {}).get(name, {}).get("stringValue", ""))
