"""SQS batches as Lambda receives them (Lambda developer guide, "Using Lambda with Amazon SQS")."""

from __future__ import annotations

import hashlib
import json
import uuid

from . import Event

REGION, ACCOUNT = "us-east-1", "123456789012"


def batch(queue: str, *bodies: Event) -> Event:
    """Return an event with a message for each of ``bodies``, from the queue ``queue``."""
    return {"Records": [_record(queue, number, json.dumps(body)) for number, body in enumerate(bodies)]}


def _record(queue: str, number: int, body: str) -> Event:
    return {
        "messageId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{queue}/{number}/{body}")),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795608000000",
            "SenderId": "AROAEXAMPLEID:darkroom",
            "ApproximateFirstReceiveTimestamp": "1795608000123",
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
        "awsRegion": REGION,
    }
