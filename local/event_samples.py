"""Uploads for the events in ``events/ingest/``, for ``sam local invoke``.

They are in the uploads bucket without an S3 event, so that the event in the file triggers their ingest. Each start of
the stack restores them.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import READY, pad_sequencer
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue

from .aws import Cloud
from .stack_info import StackInfo

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import NotificationConfigurationTypeDef

FOLDER = "samples/events/"
CREATED = "samples/events/created.jpg"
DUPLICATE = "samples/events/duplicate.png"
DAMAGED = "samples/events/damaged.jpg"
DELETED = "samples/events/deleted.jpg"

FIRST, SECOND = "0000000000000001", "0000000000000002"
"""Sequencers of the events in the files. S3's own are higher, so that uploads of users to these keys still apply."""

EVENT_S = 0.2
"""MiniStack publishes events from a thread, shortly after the upload."""


def make_photograph(path: Path) -> bytes:
    """Encode the image at ``path`` as a JPEG with camera, date and location in EXIF."""
    from PIL import Image
    from PIL.ExifTags import GPS, IFD, Base

    exif = Image.Exif()
    exif[Base.Make.value], exif[Base.Model.value] = "Darkroom", "Pinhole"
    exif.get_ifd(IFD.Exif.value)[Base.DateTimeOriginal.value] = "2026:11:25 12:00:00"
    where = exif.get_ifd(IFD.GPSInfo.value)
    where[GPS.GPSLatitudeRef.value], where[GPS.GPSLatitude.value] = "N", (48.0, 51.0, 30.0)
    where[GPS.GPSLongitudeRef.value], where[GPS.GPSLongitude.value] = "E", (2.0, 17.0, 40.0)
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, "JPEG", quality=90, exif=exif)
    return buffer.getvalue()


BODIES: Mapping[str, Callable[[Path], bytes]] = {
    CREATED: lambda folder: make_photograph(folder / "chelsea.png"),
    DUPLICATE: lambda folder: (folder / "coffee.png").read_bytes(),
    DAMAGED: lambda folder: (folder / "rocket.jpg").read_bytes()[:60_000],
    DELETED: lambda folder: make_photograph(folder / "camera.png"),
}
"""Bodies of the uploads, made from scikit-image's photographs in a folder."""


def restore(cloud: Cloud, info: StackInfo, folder: Path) -> list[str]:
    """Restore the uploads without events; return the keys that were sent to ingest for that.

    Once these are ``ready``, :func:`delete_quietly` deletes their uploads without an event. ``folder`` contains
    scikit-image's photographs.
    """
    index, uploads = Index(cloud.dynamodb, info.index_table), S3Bucket(cloud.s3, info.uploads_bucket)
    known = index.get_many(list(BODIES))
    used = {key for key, record in known.items() if record.sequencer <= pad_sequencer(SECOND)}
    if DELETED in used and known[DELETED].state == READY:
        used.remove(DELETED)
    for key in used:
        index.delete(key)
    unknown = used | BODIES.keys() - known.keys()
    missing = [key for key in sorted(unknown) if key == DELETED or uploads.head(key) is None]
    if missing:
        upload_quietly(cloud, info.uploads_bucket, {key: BODIES[key](folder) for key in missing})
    if DELETED not in unknown:
        return []
    event = build_s3_event("Object Created", DELETED, FIRST, info.uploads_bucket, at=datetime.now(UTC))
    Queue(cloud.queues, info.queues["ingest"]).send(event)
    return [DELETED]


def upload_quietly(cloud: Cloud, bucket: str, bodies: Mapping[str, bytes]) -> None:
    """Upload ``bodies``, by key, without an event."""
    uploads = S3Bucket(cloud.s3, bucket)
    with _without_events(cloud, bucket):
        for key, body in bodies.items():
            uploads.put(key, body, headers={}, metadata={})


def delete_quietly(cloud: Cloud, info: StackInfo, keys: list[str]) -> None:
    """Delete the uploads ``keys`` without an event."""
    uploads = S3Bucket(cloud.s3, info.uploads_bucket)
    with _without_events(cloud, info.uploads_bucket):
        for key in keys:
            uploads.delete(key)


def build_s3_event(
    detail_type: str, key: str, sequencer: str, bucket: str, *, at: datetime, reason: str = "PutObject"
) -> dict[str, object]:
    """Build an event of S3 for EventBridge (S3 user guide, "EventBridge event message structure")."""
    found: dict[str, object] = {"key": key, "sequencer": sequencer, "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"}
    deleted = detail_type == "Object Deleted"
    if not deleted:
        found |= {"size": 100_000, "etag": "b1946ac92492d2347c6235b4d2611184"}
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": "123456789012",
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": found,
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "203.0.113.7",
            "reason": "DeleteObject" if deleted else reason,
            **({"deletion-type": "Delete Marker Created"} if deleted else {}),
        },
    }


@contextmanager
def _without_events(cloud: Cloud, bucket: str) -> Iterator[None]:
    """Disable the bucket's events until the context exits."""
    cloud.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
        time.sleep(EVENT_S)
    finally:
        on: NotificationConfigurationTypeDef = {"EventBridgeConfiguration": {}}  # as in the template
        cloud.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=on)
