"""Events of S3 about masters in an existing bucket: of EventBridge, or a notification that S3 itself sent to the queue.

An event only says that a key may have changed. A purge compares derivatives with the master that exists when it runs,
so late, duplicate and reordered events have nothing to delete (decision 72).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from darkroom.errors import BadUpload

CHANGES = ("Object Created", "Object Deleted")
"""Detail types of EventBridge. A deletion counts whatever its reason, also one by a lifecycle rule."""

NOTIFIED = ("ObjectCreated:", "ObjectRemoved:", "LifecycleExpiration:")
"""Beginnings of the event names in notifications of S3."""


@dataclass(frozen=True, slots=True)
class SourceChange:
    """The object ``name`` of ``bucket`` was written or deleted."""

    bucket: str
    name: str
    sequencer: str


def read_changes(body: str) -> list[SourceChange] | None:
    """Read the changes in a message; return None if it is not an event of S3.

    Events of other kinds, and the test event by which S3 validates a notification, have none. Raises BadUpload for an
    event without a bucket or a name.
    """
    try:
        document = json.loads(body)
        if not isinstance(document, dict):
            return None
        if document.get("Event") == "s3:TestEvent":
            return []
        if "Records" in document:
            return list(_read_notification(document["Records"]))
        if document.get("source") == "aws.s3":
            changed = document["detail-type"] in CHANGES
            return [_read_change(document["detail"])] if changed else []
    except (ValueError, RecursionError):
        return None
    except (KeyError, TypeError, AttributeError) as error:
        raise BadUpload("The message is not an event of S3", field="body", detail=repr(error)) from error
    return None


def _read_notification(records: Any) -> Iterator[SourceChange]:
    for record in records:
        if record["eventName"].removeprefix("s3:").startswith(NOTIFIED):
            found = _read_change(record["s3"])
            yield SourceChange(found.bucket, unquote_plus(found.name), found.sequencer)


def _read_change(detail: Any) -> SourceChange:
    bucket, found = detail["bucket"]["name"], detail["object"]
    if not (isinstance(bucket, str) and isinstance(found["key"], str)):
        raise TypeError(found)
    found["key"].encode()  # JSON can contain a lone surrogate, a name cannot
    return SourceChange(bucket, found["key"], str(found.get("sequencer", "")))
