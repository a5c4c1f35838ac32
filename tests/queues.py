"""Queues of tests."""

from __future__ import annotations

import json
from typing import Any


def drain(sqs: Any, url: str) -> list[dict[str, Any]]:
    """Receive and delete all visible messages: their JSON, with the message attributes as ``attributes``."""
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages"
    ):
        for message in messages:
            found.append(json.loads(message["Body"]) | {"attributes": message.get("MessageAttributes", {})})
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
