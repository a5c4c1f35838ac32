"""Find the master of a key in the source that it belongs to: a bucket, or an HTTPS origin."""

from __future__ import annotations

from datetime import UTC, datetime

from darkroom.aws.s3_fast import StoredObject
from darkroom.errors import DarkroomError
from darkroom.further_sources import find_source
from darkroom.services.caching import MASTER_RIGHTS
from darkroom_pipeline.aws.s3 import ObjectHead, S3Bucket

from .source import Document, Source


def format_time(time_s: float) -> str:
    """Format a Unix time as ISO 8601, in UTC."""
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")


def find_master(key: str, source: Source) -> tuple[Document, Document | None]:
    """Return where the master of ``key`` belongs, and the master if it is there.

    ``key_prefix`` names the further source, "" stands for the stack's own. ``error`` is why an origin could not be read
    from this machine.
    """
    further = find_source(source.settings.sources, key)
    bucket = source.further[further.key_prefix] if further else source.masters
    name = further.name(key) if further else source.names.name(key)
    place = {"key_prefix": further.key_prefix if further else "", "uri": "", "error": ""}
    if isinstance(bucket, S3Bucket):
        place["uri"] = f"s3://{bucket.bucket}/{name}"
        head = bucket.head(name)
        return place, _describe_head(head, place["uri"]) if head else None
    place["uri"] = f"{further.origin if further else ''}{name}"
    try:
        found = bucket.open(name)
    except DarkroomError as error:
        return place | {"error": error.detail or error.message}, None
    return place, _describe_response(found, place["uri"]) if found else None


def _describe_head(head: ObjectHead, uri: str) -> Document:
    return {
        "uri": uri,
        "etag": head.etag.strip('"'),
        "content_type": head.headers.get("Content-Type", ""),
        "bytes": head.size_bytes,
        "modified_at": format_time(head.modified_s),
        "version_id": head.version_id,
        "rights": head.metadata.get(MASTER_RIGHTS, ""),
    }


def _describe_response(found: StoredObject, uri: str) -> Document:
    return {
        "uri": uri,
        "etag": found.etag.strip('"'),
        "content_type": found.attributes.get("Content-Type", ""),
        "bytes": found.size_bytes,
        "modified_at": None,
        "version_id": "",
        "rights": "",
    }
