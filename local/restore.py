"""Compare the parts of a stack at its start, and repair what a killed process lost.

Objects of buckets are on disk at once; tables, queues, the edge's entries and deployed stacks are as of the last save.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from darkroom.settings import InvalidSettings
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import REMOVED, Record

from . import settings
from .aws import Cloud
from .event_samples import FOLDER as WITHOUT_EVENTS
from .progress import Progress
from .stack_info import StackInfo

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef


def restore(cloud: Cloud, info: StackInfo, lost_since_s: float | None, progress: Progress) -> None:
    """Report what a killed MiniStack lost after ``lost_since_s``, and restore what buckets have of it."""
    with suppress(InvalidSettings):  # which is reported with the settings
        if entries := settings.publish(cloud):
            progress.report(f"Restored {entries} entries of the edge from the settings document")
    if lost_since_s is None:
        return
    saved = f"{datetime.fromtimestamp(lost_since_s).astimezone():%F %T}" if lost_since_s else "the deployment"
    progress.report(
        f"MiniStack was killed. Tables, queues and deployed stacks are as of {saved}: decisions, messages and further "
        "stacks since then are lost"
    )
    uploads, deletions = restore_uploads(cloud, info.uploads_bucket, Index(cloud.dynamodb, info.index_table))
    progress.report(
        f"Restored from the uploads bucket: {uploads} uploads are ingested again, {deletions} deletions are repeated"
    )


def restore_uploads(cloud: Cloud, bucket: str, index: Index) -> tuple[int, int]:
    """Repeat each upload and each deletion that the index does not have. Return the numbers of both.

    A repeated one has an event and a version of its own, which is newer than any that a master was made from.
    """
    uploads = deletions = 0
    for page in cloud.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [one for one in page.get("Versions", []) if one["IsLatest"] and _is_ingested(one["Key"])]
        markers = [one for one in page.get("DeleteMarkers", []) if one["IsLatest"] and _is_ingested(one["Key"])]
        known = index.get_many([one["Key"] for one in (*versions, *markers)])
        for one in versions:
            if _has(known.get(one["Key"]), one["VersionId"]):
                continue
            source: CopySourceTypeDef = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
            cloud.s3.copy_object(Bucket=bucket, Key=one["Key"], CopySource=source, StorageClass="STANDARD")
            uploads += 1
        for marker in markers:
            record = known.get(marker["Key"])
            if record is not None and record.state != REMOVED:
                cloud.s3.delete_object(Bucket=bucket, Key=marker["Key"])
                deletions += 1
    return uploads, deletions


def _has(record: Record | None, version_id: str) -> bool:
    return record is not None and record.done and record.version_id == version_id


def _is_ingested(key: str) -> bool:
    return not key.endswith("/") and not key.startswith(WITHOUT_EVENTS)
