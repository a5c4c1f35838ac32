"""Events of S3 about masters: of EventBridge, and notifications of S3 itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkroom.errors import BadUpload
from darkroom_pipeline.services.purge.source_events import SourceChange, read_changes


def event(detail_type: str = "Object Created", **detail: Any) -> dict[str, Any]:
    found = {"bucket": {"name": "photos"}, "object": {"key": "a b+ü.jpg", "sequencer": "0A"}}
    return {"source": "aws.s3", "detail-type": detail_type, "detail": found | detail}


def notification(name: str, key: str = "a+b%2B%C3%BC.jpg") -> dict[str, Any]:
    s3 = {"bucket": {"name": "photos"}, "object": {"key": key, "sequencer": "0A"}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": name, "s3": s3}]}


CHANGE = SourceChange("photos", "a b+ü.jpg", "0A")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (event(), [CHANGE]),
        (event("Object Deleted", reason="DeleteObject"), [CHANGE]),
        (event("Object Deleted", reason="Lifecycle Expiration"), [CHANGE]),
        (event("Object Tags Added"), []),
        (event("Object Restore Completed"), []),
        (notification("ObjectCreated:Put"), [CHANGE]),
        (notification("ObjectCreated:CompleteMultipartUpload"), [CHANGE]),
        (notification("s3:ObjectCreated:Copy"), [CHANGE]),
        (notification("ObjectRemoved:Delete"), [CHANGE]),
        (notification("ObjectRemoved:DeleteMarkerCreated"), [CHANGE]),
        (notification("LifecycleExpiration:Delete"), [CHANGE]),
        (notification("ObjectRestore:Completed"), []),
        (notification("ObjectTagging:Put"), []),
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"}, []),
        ({"key": "a.jpg", "pass": 1}, None),
        ({"source": "darkroom", "detail-type": "ImageReady", "detail": {}}, None),
        ([], None),
        ("text", None),
    ],
)
def test_changes_are_read_and_other_events_are_none(document: Any, expected: list[SourceChange] | None) -> None:
    assert read_changes(json.dumps(document)) == expected


@pytest.mark.parametrize(
    "document",
    [
        event(object={}),
        event(object={"key": 5}),
        event(bucket={}),
        event(bucket={"name": None}),
        {"source": "aws.s3"},
        {"Records": [{}]},
        {"Records": 5},
        {"Records": [5]},
    ],
)
def test_an_event_without_a_name_is_refused(document: Any) -> None:
    with pytest.raises(BadUpload):
        read_changes(json.dumps(document))


@pytest.mark.parametrize("body", ["", "no JSON", json.dumps(event(object={"key": "\ud800"}))])
def test_what_cannot_be_decoded_is_no_event(body: str) -> None:
    assert read_changes(body) is None
