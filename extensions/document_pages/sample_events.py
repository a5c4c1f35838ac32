"""Events of the documents function: S3 events about PDF documents."""

from __future__ import annotations

from local.events import Event

BUCKET = "darkroom-documents"


def event(kind: str) -> Event:
    """Return the event ``kind`` of EventBridge for one document."""
    return {
        "version": "0",
        "id": "6f9ba1c2-7a51-4b9e-8c65-40c3a8d0b9d1",
        "detail-type": kind,
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2026-11-25T12:00:00Z",
        "region": "eu-central-1",
        "resources": [f"arn:aws:s3:::{BUCKET}"],
        "detail": {
            "version": "0",
            "bucket": {"name": BUCKET},
            "object": {"key": "reports/annual.pdf", "size": 48_213, "sequencer": "0000000000000001"},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
        },
    }


EVENTS = {"documents": lambda: {"created.json": event("Object Created"), "deleted.json": event("Object Deleted")}}
"""Sample events by file name, by the function's folder."""
