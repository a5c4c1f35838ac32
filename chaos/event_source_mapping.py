"""Emulate Lambda's SQS event source mapping: convert messages to an event and evaluate the batch response."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Context:
    """The Lambda context, with the attributes that the functions and Powertools read."""

    function_name: str
    timeout_s: float
    memory_limit_in_mb: int = 1769
    function_version: str = "1"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        """Return the function's ARN."""
        return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the function's timeout."""
        return int((self.timeout_s - (time.monotonic() - self.begun_s)) * 1000)


def to_event(messages: Sequence[Mapping[str, Any]], queue_url: str) -> dict[str, Any]:
    """Build the event of ``messages`` from SQS's ReceiveMessage with all attributes."""
    return {"Records": [_record(message, queue_url.rpartition("/")[2]) for message in messages]}


def _record(message: Mapping[str, Any], queue: str) -> dict[str, Any]:
    attributes = {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()}
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}",
        "awsRegion": "us-east-1",
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"stringValue": value.get("StringValue"), "dataType": value["DataType"]}


def invoke_handler(answer: object, messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the messages to delete: those that the handler's ``answer`` does not list as failed.

    Like Lambda, treat the whole batch as failed if the response lists an unknown message or one without a name.
    """
    listed = answer.get("batchItemFailures") or [] if isinstance(answer, Mapping) else []
    failed = [item.get("itemIdentifier") if isinstance(item, Mapping) else None for item in listed]
    if not {message["MessageId"] for message in messages}.issuperset(failed):
        return []
    return [message for message in messages if message["MessageId"] not in failed]
