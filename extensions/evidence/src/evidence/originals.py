"""Find the bytes that were uploaded: the locked copy if there is one, or the version in the uploads bucket."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from darkroom_pipeline.aws.record import Record
from darkroom_pipeline.aws.s3 import S3Bucket

from .custody import Custody, originals_prefix
from .locked_bucket import read_version

MAX_BYTES = 64 * 1024**2
"""Largest upload that is analysed: it is in memory and in the function's temporary folder."""

CUSTODY, UPLOADS, EXPIRED, TOO_LARGE = "custody", "uploads", "expired", "too_large"
"""Where the upload is: a locked copy, the uploads bucket, nowhere any more; or not read because of its size."""


@dataclass(frozen=True, slots=True)
class Original:
    """The upload that the image was made from. ``data`` is empty unless ``place`` is custody or uploads.

    ``matches_index``: whether its SHA-256 is that which ingest computed; None where one of them is unknown.
    """

    place: str
    version_id: str
    data: bytes = b""
    sha256: str = ""
    matches_index: bool | None = None

    @property
    def document(self) -> dict[str, object]:
        """What a report says of it."""
        return {
            "place": self.place,
            "version_id": self.version_id,
            "size_bytes": len(self.data) or None,
            "sha256": self.sha256 or None,
            "matches_index": self.matches_index,
        }


@dataclass(frozen=True)
class Originals:
    """Finds uploads; ``client`` is that of S3. Faults are Unavailable."""

    client: Any
    uploads: S3Bucket
    custody: Custody

    def find(self, record: Record) -> Original:
        """Return the upload of the newest master of ``record``, or of the refused or held upload without one."""
        version_id = record.held.master.version_id or record.master.version_id or record.version_id
        expected = record.held.sha256 or record.sha256
        for version in self.custody.list_originals(record.key):
            if version.name == originals_prefix(record.key) + version_id:
                if version.size_bytes > MAX_BYTES:
                    return Original(TOO_LARGE, version_id)
                return _describe(CUSTODY, version_id, self.custody.bucket.read(version), expected)
        head = self.uploads.head(record.key, version_id)
        if head is None:
            return Original(EXPIRED, version_id)
        if head.size_bytes > MAX_BYTES:
            return Original(TOO_LARGE, version_id)
        data = read_version(self.client, self.uploads.bucket, record.key, head.version_id or "null")
        return _describe(UPLOADS, version_id, data, expected)


def _describe(place: str, version_id: str, data: bytes, expected: str) -> Original:
    digest = sha256(data).hexdigest()
    return Original(place, version_id, data, digest, matches_index=digest == expected if expected else None)
