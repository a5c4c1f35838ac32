"""Events of the custody function: queue messages with S3 events about uploads of the local stack."""

from __future__ import annotations

from local.event_samples import CREATED, FIRST, build_s3_event

from . import Event
from .ingest import BUCKET, NOON
from .sqs import batch

QUEUE = "darkroom-evidence-custody"


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {"created.json": batch(QUEUE, build_s3_event("Object Created", CREATED, FIRST, BUCKET, at=NOON))}
