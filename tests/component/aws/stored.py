"""Put objects into a bucket and list its contents."""

from __future__ import annotations

from typing import Any

from darkroom_pipeline.aws.s3 import S3Bucket

HEADERS = {
    "Content-Type": "image/webp",
    "Cache-Control": "max-age=60",
    "Content-Disposition": 'inline; filename="a.webp"',
}
METADATA = {"source-etag": "abc", "sequencer": "0055"}


def put(vault: S3Bucket, key: str, body: bytes = b"x", **given: Any) -> str:
    return vault.put(key, body, **{"headers": {}, "metadata": {}, **given})


def keys(vault: S3Bucket, prefix: str = "", start_after: str = "") -> list[str]:
    return [one.key for page in vault.list_pages(prefix, start_after) for one in page]


def opened_body(vault: S3Bucket, key: str) -> bytes:
    opened = vault.open(key)
    assert opened
    return opened.body.read()
