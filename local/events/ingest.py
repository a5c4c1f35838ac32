"""Events of the ingest function: queue messages with S3 events about uploads of the local stack."""

from __future__ import annotations

from datetime import UTC, datetime

from local.event_samples import CREATED, DAMAGED, DELETED, DUPLICATE, FIRST, SECOND, build_s3_event

from . import Event
from .sqs import batch

QUEUE, BUCKET = "darkroom-ingest", "darkroom-uploads"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def events() -> dict[str, Event]:
    """Return each event by file name."""
    uploaded = {"created": CREATED, "duplicate": DUPLICATE, "damaged": DAMAGED}
    changes = {name: build_s3_event("Object Created", key, FIRST, BUCKET, at=NOON) for name, key in uploaded.items()}
    changes["deleted"] = build_s3_event("Object Deleted", DELETED, SECOND, BUCKET, at=NOON)
    return {f"{name}.json": batch(QUEUE, change) for name, change in changes.items()}
