"""Events of the functions that ingest medical images: messages of SQS about uploads."""

from __future__ import annotations

import json

from . import Event


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {"upload.json": upload("incoming/routine/8d6f4c0e.dcm")}


def upload(key: str) -> Event:
    """Return the message about an upload."""
    notification = {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-central-1",
                "eventTime": "2026-11-25T12:00:00.000Z",
                "eventName": "ObjectCreated:Put",
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "bucket": {"name": "darkroom-medical-uploads", "arn": "arn:aws:s3:::darkroom-medical-uploads"},
                    "object": {"key": key, "size": 526_848, "sequencer": "0066F3A1B2C3D4E5F6"},
                },
            }
        ]
    }
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(notification),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795608000000",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1795608000010",
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:darkroom-medical-RoutineQueue",
        "awsRegion": "eu-central-1",
    }
    return {"Records": [record]}
