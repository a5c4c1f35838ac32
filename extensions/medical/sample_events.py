"""Sample events: requests of an HTTP API to DICOMweb, and messages of SQS about uploads."""

from __future__ import annotations

import json

from local.events import LOCAL_KEY, Event
from local.events.http_api import build_request
from medical.access import sign_target

INSTANCE = "/dicomweb/studies/2.25.111/series/2.25.222/instances/2.25.333"
EXPIRES_S = 4_102_444_800
"""The year 2100, so that the file does not change."""


def _list_requests() -> dict[str, Event]:
    rendered = sign_target(f"{INSTANCE}/rendered?window=40,400", LOCAL_KEY, EXPIRES_S)
    return {
        "rendered.json": event(rendered),
        "unsigned.json": event(f"{INSTANCE}/rendered?window=40,400"),
    }


def event(target: str) -> Event:
    """Return a GET of ``target``, a path with its query."""
    path, _, query = target.partition("?")
    return build_request(
        "GET",
        "GET /dicomweb/{proxy+}",
        path,
        {},
        rawQueryString=query,
        queryStringParameters=dict(pair.split("=", 1) for pair in query.split("&")),
        pathParameters={"proxy": path.removeprefix("/dicomweb/")},
    )


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


EVENTS = {"medical": _list_requests, "medical_ingest": lambda: {"upload.json": upload("incoming/routine/8d6f4c0e.dcm")}}
"""Sample events by file name, by the function's folder."""
