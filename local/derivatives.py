"""Delete stored derivatives of the local stack."""

from __future__ import annotations

from .aws import Cloud

PREFIX = "derivatives/"


def delete_all(cloud: Cloud, bucket: str) -> int:
    """Delete every derivative in ``bucket``, so that responses come from the current code; return their number."""
    count = 0
    for page in cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        found = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if found:
            cloud.s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})  # type: ignore[typeddict-item]
        count += len(found)
    return count
