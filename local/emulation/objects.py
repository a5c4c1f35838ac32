"""Versions in the events that S3 sends to EventBridge, and the default retention and conditions of copies.

Sources: S3 user guide, "EventBridge event message structure": ``object`` has ``version-id`` if the bucket has versions;
"Locking objects with Object Lock": the default retention applies to every new object. MiniStack 1.5.33 names the
version in its other notifications only, applies the retention to objects of PutObject only, and ignores the conditions
``If-Match`` and ``If-None-Match`` of CopyObject (S3 API reference, "CopyObject").
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

_firing: ContextVar[str] = ContextVar("darkroom_object_version", default="")


def check_copy_targets(objects: Any) -> None:
    """Refuse a copy whose condition on the existing object fails, as for PutObject."""
    copy = objects._copy_object

    def copy_if(bucket_name: str, key: str, headers: Any) -> Any:
        bucket = objects._ensure_bucket(bucket_name) or {}
        refusal = objects._check_put_preconditions(headers, bucket.get("objects", {}).get(key))
        return refusal or copy(bucket_name, key, headers)

    objects._copy_object = copy_if


def lock_copies(objects: Any) -> None:
    """Apply the default retention to results of CopyObject and CompleteMultipartUpload, too."""

    def lock_result(make: Callable[..., Any]) -> Callable[..., Any]:
        def make_and_lock(bucket: str, key: str, *rest: Any) -> Any:
            status, headers, body = make(bucket, key, *rest)
            version_id = headers.get("x-amz-version-id")
            if status == HTTPStatus.OK and (bucket, key, version_id) not in objects._object_retention:
                objects._apply_object_lock_from_headers(bucket, key, {}, version_id)
            return status, headers, body

        return make_and_lock

    objects._copy_object = lock_result(objects._copy_object)
    objects._complete_multipart_upload = lock_result(objects._complete_multipart_upload)


def name_versions(objects: Any, events: Any) -> None:
    """Add the version. ``objects`` and ``events`` are MiniStack's modules of S3 and EventBridge."""
    fire, dispatch = objects._fire_s3_event, events._dispatch_event

    def fire_s3_event(*arguments: Any, version_id: str | None = None, **named: Any) -> Any:
        token = _firing.set(version_id or "")
        try:
            return fire(*arguments, version_id=version_id, **named)
        finally:
            _firing.reset(token)

    def dispatch_event(event: Any, *rest: Any) -> Any:
        version_id = _firing.get()
        if version_id and event["Source"] == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version_id
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *rest)

    objects._fire_s3_event = fire_s3_event
    events._dispatch_event = dispatch_event
