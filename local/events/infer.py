"""Events of the infer function: queue messages about existing and missing images of the local stack."""

from __future__ import annotations

from darkroom_pipeline.aws.record import pad_sequencer
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind

from . import Event
from .sqs import batch

QUEUE, PRIORITY_QUEUE = "darkroom-infer", "darkroom-infer-priority"
PHOTO, ABSENT = "samples/coffee.png", "no/such/photo.jpg"


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {
        "ready.json": batch(QUEUE, build_endpoint_result("ImageReady", PHOTO, priority=False)),
        "urgent.json": batch(PRIORITY_QUEUE, build_endpoint_result("ImageReady", PHOTO, priority=True)),
        "removed.json": batch(QUEUE, build_endpoint_result("ImageRemoved", ABSENT)),
        "again.json": batch(QUEUE, AnalysisRequest(RequestKind.ANALYSE, PHOTO, again=True).message),
        "unreadable.json": batch(QUEUE, {"photo": PHOTO}),
    }


def build_endpoint_result(detail_type: str, key: str, **further: object) -> Event:
    """Build ingest's announcement as EventBridge queues it, with the fields that infer reads."""
    build_announcement: Event = {
        "id": "32086c2241dee8591b5c471bdb72208a",
        "stack": "darkroom",
        "key": key,
        "sequencer": pad_sequencer("0055AED6DCD90281E5"),
    }
    return {
        "version": "0",
        "id": "3a1a6f0c-8c52-4a8e-9f33-0f8b6c5ed8a4",
        "detail-type": detail_type,
        "source": "darkroom",
        "account": "123456789012",
        "time": "2026-11-25T12:00:03Z",
        "region": "us-east-1",
        "resources": [],
        "detail": build_announcement | further,
    }
