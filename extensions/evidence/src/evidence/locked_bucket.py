"""The custody bucket: objects that are written once, locked by S3 Object Lock, and read by version.

The oldest version of a name is the one that counts. A deleted object is still found while it is locked: a DELETE only
adds a marker.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from darkroom_pipeline.aws.clients import translate_errors
from darkroom_pipeline.aws.s3 import S3Bucket

HEADERS = {"Content-Type": "application/json"}


class LockedVersion(NamedTuple):
    """The oldest version of an object; ``versions`` is how many there are, more than one if it was to be replaced."""

    name: str
    version_id: str
    size_bytes: int
    versions: int


class LockedBucket:
    """The bucket named ``bucket``. Faults are Unavailable."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.name = bucket
        self.objects = S3Bucket(client, bucket)

    def list_versions(self, prefix: str) -> list[LockedVersion]:
        """Return the oldest version of each object below ``prefix``, by name."""
        found: dict[str, list[dict[str, Any]]] = {}
        pages = iter(self._client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix))
        while True:
            with translate_errors(f"list versions {prefix}"):
                page = next(pages, None)
            if page is None:
                break
            for one in page.get("Versions", ()):
                found.setdefault(one["Key"], []).append(one)
        return [_describe_oldest(name, versions) for name, versions in sorted(found.items())]

    def read(self, version: LockedVersion) -> bytes:
        """Return the content of a version."""
        return read_version(self._client, self.name, version.name, version.version_id)

    def set_hold(self, version: LockedVersion, *, is_on: bool) -> None:
        """Set or remove the legal hold of a version."""
        with translate_errors(f"legal hold {version.name}"):
            self._client.put_object_legal_hold(
                Bucket=self.name,
                Key=version.name,
                VersionId=version.version_id,
                LegalHold={"Status": "ON" if is_on else "OFF"},
            )


def _describe_oldest(name: str, versions: list[dict[str, Any]]) -> LockedVersion:
    """Return the oldest of ``versions``, which S3 lists from the newest on; times have whole seconds."""
    oldest = versions[-1]
    return LockedVersion(name, oldest["VersionId"], oldest["Size"], len(versions))


def read_version(client: Any, bucket: str, name: str, version_id: str) -> bytes:
    """Return the content of a version of an object."""
    with translate_errors(f"get {name}"):
        answer = client.get_object(Bucket=bucket, Key=name, VersionId=version_id)
        with answer["Body"] as body:
            return bytes(body.read())
