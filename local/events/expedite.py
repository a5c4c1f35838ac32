"""Events of the expedite function: S3 events about uploads by presigned POST."""

from __future__ import annotations

from local.event_samples import CREATED, FIRST, build_s3_event

from . import Event
from .ingest import BUCKET, NOON


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {"posted.json": build_s3_event("Object Created", CREATED, FIRST, BUCKET, at=NOON, reason="POST Object")}
