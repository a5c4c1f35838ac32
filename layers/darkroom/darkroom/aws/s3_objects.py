"""What S3 tells of an object, and the object's body on its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from .clients import translate_errors

CHUNK_BYTES = 256 * 1024
"""Size of the chunks that a body is iterated in."""

HEADERS = {
    "Content-Type": "ContentType",
    "Cache-Control": "CacheControl",
    "Content-Disposition": "ContentDisposition",
}
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
"""All checksums that S3 keeps, by our names in :mod:`darkroom.aws.checksums`, and boto3's names for them."""


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """The head of an object. ``etag`` has its quotes; ``version_id`` is empty in a bucket without versions.

    ``metadata`` has lower-case names. ``checksums`` are base64 of the whole object's bytes, by the names in
    :data:`CHECKSUMS`; what S3 keeps of a multipart upload is often a checksum of checksums, and left out.
    """

    key: str
    etag: str
    size_bytes: int
    version_id: str
    modified_s: float
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    checksums: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object in a listing."""

    key: str
    etag: str
    size_bytes: int
    modified_s: float


class ObjectBody:
    """Bytes that are still arriving; raises Unavailable if they break off."""

    def __init__(self, stream: Any, what: str) -> None:
        self._stream = stream
        self._what = what

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes, fewer only at the end; all that are left if negative."""
        with translate_errors(self._what):
            return bytes(self._stream.read(None if size < 0 else size))

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(CHUNK_BYTES):
            yield chunk

    def close(self) -> None:
        """End the connection, whether or not all has been read."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class OpenObject(NamedTuple):
    """An object's head, and its body still arriving."""

    head: ObjectHead
    body: ObjectBody


def parse_head(key: str, answer: Mapping[str, Any]) -> ObjectHead:
    """The head of ``key`` in an answer of HeadObject or GetObject; raises KeyError if it is none."""
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
    """What ``field`` of a listing holds, which S3 leaves out for nothing; raises KeyError if it is no listing."""
    _ = answer["IsTruncated"]
    return list(answer.get(field, []))


def _whole_checksums(answer: Mapping[str, Any]) -> dict[str, str]:
    """A checksum of parts' checksums says so, or ends in ``-<number of parts>``, which base64 cannot."""
    if answer.get("ChecksumType") == "COMPOSITE":
        return {}
    found = {name: str(answer.get(field, "")) for name, field in CHECKSUMS.items()}
    return {name: value for name, value in found.items() if value and "-" not in value}
