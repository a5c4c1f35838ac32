"""Heads, listings, bodies and deletions of S3 objects."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched
from typing import Any, NamedTuple, Self

from botocore.exceptions import ClientError

from darkroom.errors import ObjectChanged, Unavailable

from .clients import error_code, translate_errors

CHUNK_BYTES = 256 * 1024
"""Size of the chunks that iterating a body yields."""

HEADERS = {name: name.replace("-", "") for name in ("Content-Type", "Cache-Control", "Content-Disposition")}
"""HTTP headers that are stored with an object, and boto3's names for them."""

CHECKSUMS = {
    "sha256": "ChecksumSHA256",
    "sha512": "ChecksumSHA512",
    "sha1": "ChecksumSHA1",
    "md5": "ChecksumMD5",
    "crc32": "ChecksumCRC32",
    "crc32c": "ChecksumCRC32C",
    "crc64nvme": "ChecksumCRC64NVME",
    "xxhash64": "ChecksumXXHASH64",
    "xxhash3": "ChecksumXXHASH3",
    "xxhash128": "ChecksumXXHASH128",
}
"""All checksums that S3 stores, by their names in :mod:`.checksums`, and boto3's names for them."""

DECLARED_SHA256 = "declared-sha256"
"""User metadata of an upload: the base64 of the declared SHA-256. S3 checks the checksum of the form. Not every
S3-compatible store does, so ingest checks it too."""

PRIORITY, URGENT = "priority", "urgent"
"""User metadata of an upload that is to be processed before others, and its value. The policy of the form contains it:
a client can neither add nor remove it."""

FINDINGS, FINDINGS_SIGNATURE = "findings", "findings-signature"
"""User metadata of an upload: client-supplied findings, and their signature."""

BATCH = 1000
"""S3's maximum of objects in one DeleteObjects."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids, but S3 keys may have."""


CHANGED_CODES = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
"""Codes of S3 for a condition on the entity tag that failed."""

_MISSING_CODES = frozenset({"404", "NoSuchKey"})


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """The head of an object. ``etag`` has its quotes; ``version_id`` is empty in a bucket without versions.

    ``metadata`` has lower-case names. ``checksums`` are base64, by the names in :data:`CHECKSUMS`; composite
    ones of multipart uploads (checksums of checksums) are left out.
    """

    key: str
    etag: str
    size_bytes: int
    version_id: str
    modified_s: float
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    checksums: Mapping[str, str]

    def is_made_of(self, body: bytes, headers: Mapping[str, str], metadata: Mapping[str, str]) -> bool:
        """Whether the object is what a PUT of these would store. Of an object with SSE-KMS it is not known: False."""
        return (self.etag, self.metadata) == (md5_etag(body), metadata) and headers.items() <= self.headers.items()


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object in a listing."""

    key: str
    etag: str
    size_bytes: int
    modified_s: float


class ObjectBody:
    """A body that is still arriving; raises Unavailable if the connection breaks."""

    def __init__(self, stream: Any, what: str) -> None:
        self._stream = stream
        self._what = what

    def read(self, size: int = -1) -> bytes:
        """Read the next ``size`` bytes, fewer only at the end; all that are left if negative."""
        with translate_errors(self._what):
            return bytes(self._stream.read(None if size < 0 else size))

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(CHUNK_BYTES):
            yield chunk

    def close(self) -> None:
        """Close the connection, even if the body has not been read."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class OpenObject(NamedTuple):
    """An object's head, and its body, which is still arriving."""

    head: ObjectHead
    body: ObjectBody


def md5_etag(body: bytes) -> str:
    """Return the entity tag that S3 gives ``body``: the MD5 of one PUT, but with SSE-KMS.

    "Object" in the Amazon S3 API reference.
    """
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def parse_head(key: str, answer: Mapping[str, Any]) -> ObjectHead:
    """Parse the head of ``key`` in a response of HeadObject or GetObject; raises KeyError if it is neither."""
    return ObjectHead(
        key=key,
        etag=answer["ETag"],
        size_bytes=answer["ContentLength"],
        version_id=answer.get("VersionId", ""),
        modified_s=answer["LastModified"].timestamp(),
        headers={name: answer[field] for name, field in HEADERS.items() if field in answer},
        metadata={name.lower(): value for name, value in answer["Metadata"].items()},
        checksums=_whole_checksums(answer),
    )


def read_list(answer: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """Read the list ``field`` of a listing, which S3 omits if empty; raises KeyError if the response is no listing."""
    _ = answer["IsTruncated"]
    return list(answer.get(field, []))


def _whole_checksums(answer: Mapping[str, Any]) -> dict[str, str]:
    """Read the checksums of whole objects. A composite one has its type or ends in ``-<number of parts>``."""
    if answer.get("ChecksumType") == "COMPOSITE":
        return {}
    found = {name: str(answer.get(field, "")) for name, field in CHECKSUMS.items()}
    return {name: value for name, value in found.items() if value and "-" not in value}


def delete_listed(client: Any, bucket: str, objects: Sequence[dict[str, str]]) -> int:
    """Delete ``objects`` (Key, and VersionId for a version); return how many.

    An object with an ETag is skipped if its entity tag has changed or it is deleted. Raises Unavailable if one was not
    deleted for another reason; others may have been.
    """
    deleted = 0
    alone = [one for one in objects if _NOT_IN_XML.search(one["Key"])]
    together = [one for one in objects if not _NOT_IN_XML.search(one["Key"])]
    for batch in batched(together, BATCH, strict=False):
        with translate_errors(f"delete {len(batch)} objects"):
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": list(batch)})
        conditional = {one["Key"] for one in batch if "ETag" in one}
        errors = answer.get("Errors", [])
        left = [one for one in errors if one["Key"] in conditional and one["Code"] in CHANGED_CODES | _MISSING_CODES]
        gone = len(answer.get("Deleted", []))
        if gone + len(left) != len(batch):
            raise Unavailable(detail=f"delete {len(batch)} objects: {errors[:3]}")
        deleted += gone
    for one in alone:
        with suppress(ObjectChanged):
            deleted += delete_one(client, bucket, **one)
    return deleted


def delete_one(client: Any, bucket: str, ETag: str = "", **one: str) -> bool:  # noqa: N803, as S3 spells it
    """Delete one object (Key, VersionId); return False if it was to have an ``ETag`` and is missing.

    Raises ObjectChanged, and deletes nothing, if it has another entity tag.
    """
    condition = {"IfMatch": ETag} if ETag else {}
    with translate_errors(f"delete {one['Key']!r}"):
        try:
            client.delete_object(Bucket=bucket, **one, **condition)
        except ClientError as error:
            if error_code(error) in CHANGED_CODES:
                raise ObjectChanged(detail=f"delete {one['Key']!r}: {error!r}") from error
            if ETag and error_code(error) in _MISSING_CODES:
                return False
            raise
    return True
