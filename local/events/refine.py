"""Events of the refine function: queue messages about derivatives of the local stack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from darkroom_pipeline.reencode.service import reencode_message
from local.event_samples import FIRST, build_s3_event

from . import Event
from .sqs import batch

QUEUE, BUCKET = "darkroom-refine", "darkroom-media"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SEEN, SIGNED = "derivatives/samples/coffee.png/_/w-320.auto-webp", "derivatives/samples/coffee.png/_/w-333.auto-webp"


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {
        "stored.json": batch(QUEUE, stored(SEEN)),
        "popular.json": batch(QUEUE, reencode_message(SIGNED, 250)),
        "no-such-derivative.json": batch(QUEUE, reencode_message("derivatives/no/such/photo.jpg/_/w-320.webp", 20)),
        "unreadable.json": batch(QUEUE, {"photo": SEEN}),
    }


def stored(name: str) -> Event:
    """Return S3's event about a stored derivative, without a version: the bucket has none."""
    event = build_s3_event("Object Created", name, FIRST, BUCKET, at=NOON)
    detail = cast(dict[str, dict[str, object]], event["detail"])
    del detail["object"]["version-id"]
    return event
