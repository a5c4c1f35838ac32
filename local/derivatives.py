"""Stored derivatives, which outlive the code that made them."""

from __future__ import annotations

from .aws import Cloud

PREFIX = "derivatives/"


def delete_all(cloud: Cloud, bucket: str) -> int:
    """Delete every derivative in ``bucket``, so that changed code is seen to work; how many there were."""
    count = 0
    for page in cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        found = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if found:
            cloud.s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})  # type: ignore[typeddict-item]
        count += len(found)
    return count
