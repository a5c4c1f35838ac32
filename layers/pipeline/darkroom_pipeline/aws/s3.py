"""S3 by boto3, for what obstore lacks: versions, checksums, server-side copies and storage classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from darkroom.errors import ObjectChanged, SourceChanged

from .clients import error_code, translate_errors
from .s3_objects import (
    CHANGED_CODES,
    HEADERS,
    ListedObject,
    ObjectBody,
    ObjectHead,
    OpenObject,
    delete_listed,
    delete_one,
    parse_head,
    read_list,
)

__all__ = ["ListedObject", "ObjectBody", "ObjectHead", "OpenObject", "S3Bucket"]

COPY_LIMIT_BYTES = 1024**3
"""The largest object that is copied in one request. S3 allows 5 GiB, but that can exceed the read timeout;
larger ones are copied in parts, several at a time."""

PART_BYTES = 512 * 1024**2
"""Size of a copied part: 10,000 of them, which S3 allows, are 5 TB."""

PAGE_SIZE = 1000
"""S3's maximum of objects or versions in one listing."""

MAX_KEY_BYTES = 1_024
"""Of an object's key (Amazon S3 user guide, "Naming Amazon S3 objects"). A request with a longer one fails with
KeyTooLongError (Amazon S3 API reference, "Error responses"), reads included."""

_MISSING = {"404", "NoSuchKey", "NoSuchVersion", "405", "MethodNotAllowed"}
"""S3 responds 405 for a version that is a delete marker. The code of a HEAD is its status: it has no body."""


class S3Bucket:
    """One bucket. A missing key is None; every fault is Unavailable, 403 included: roles that use this may list.

    A key that is longer than S3 allows is missing; only ``put`` and ``copy`` send a request for it.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.bucket = bucket
        client.meta.events.register("before-call.s3.GetObject", _request_checksums, unique_id="request-checksums")

    def head(self, key: str, version_id: str = "") -> ObjectHead | None:
        """Return the head of the current version, or of ``version_id``; None if it is missing or deleted.

        Also None if the bucket does not exist: the response to a HEAD does not distinguish the two.
        """
        with translate_errors(f"head {key}"):
            answer = self._find(self._client.head_object, key, ChecksumMode="ENABLED", **_version(version_id))
            return parse_head(key, answer) if answer is not None else None

    def open(self, key: str) -> OpenObject | None:
        """Open the current version; None if the key is missing or deleted. Close the body after use."""
        with translate_errors(f"get {key}"):
            answer = self._find(self._client.get_object, key)
            if answer is None:
                return None
            return OpenObject(parse_head(key, answer), ObjectBody(answer["Body"], f"get {key}"))

    def _find(self, call: Callable[..., dict[str, Any]], key: str, **request: Any) -> dict[str, Any] | None:
        """Return the answer of ``call`` about ``key``; None if there is no such object, or cannot be."""
        if _is_too_long(key):
            return None
        try:
            return call(Bucket=self.bucket, Key=key, **request)
        except ClientError as error:
            if _is_missing(error):
                return None
            raise

    def read(self, key: str) -> bytes | None:
        """Return the content of the current version; None if the key is missing or deleted."""
        opened = self.open(key)
        if opened is None:
            return None
        with opened.body as body:
            return body.read()

    def read_range(self, key: str, start: int, end: int, *, etag: str) -> bytes:
        """Read bytes ``start`` to before ``end`` of the current version.

        Raises ObjectChanged if its entity tag is not ``etag`` or it is deleted, or Unavailable.
        """
        what = f"get {start}-{end - 1} of {key}"
        with translate_errors(what):
            try:
                answer = self._client.get_object(
                    Bucket=self.bucket, Key=key, Range=f"bytes={start}-{end - 1}", IfMatch=etag
                )
            except ClientError as error:
                if error_code(error) in CHANGED_CODES or _is_missing(error):
                    raise ObjectChanged(detail=f"{what}: {error!r}") from error
                raise
            with ObjectBody(answer["Body"], what) as body:
                return body.read()

    def put(
        self,
        key: str,
        body: bytes,
        *,
        headers: Mapping[str, str],
        metadata: Mapping[str, str],
        tiered: bool = False,
        replaces: str | None = None,
    ) -> str:
        """Write ``body`` and return its entity tag. ``metadata`` values are ASCII; ``tiered`` is Intelligent-Tiering.

        ``replaces`` is the entity tag that the object must have, "" if the key must be free, None for no condition.
        Raises ObjectChanged if the condition fails, which this very write can cause: it is
        retried if its response is lost.
        """
        attributes = {**_header_fields(headers), **_storage_class(tiered), **_condition(replaces)}
        with translate_errors(f"put {key}"):
            try:
                answer = self._client.put_object(
                    Bucket=self.bucket, Key=key, Body=body, Metadata=dict(metadata), **attributes
                )
            except ClientError as error:
                if error_code(error) in CHANGED_CODES or (replaces and _is_missing(error)):
                    raise ObjectChanged(detail=f"put {key}: {error!r}") from error
                raise
            return str(answer["ETag"])

    def copy(
        self,
        source: S3Bucket,
        source_key: str,
        key: str,
        *,
        headers: Mapping[str, str] | None = None,
        metadata: Mapping[str, str] | None = None,
        tiered: bool = False,
        source_etag: str = "",
        source_version_id: str = "",
        source_head: ObjectHead | None = None,
        replaces: str | None = None,
    ) -> str | None:
        """Copy an object of any size within S3; return the copy's entity tag, None if the source is missing.

        The source is the current version, or ``source_version_id``; ``source_head`` is its head, if it was read before.
        ``headers`` and ``metadata`` replace the source's; None copies them. Tags are not copied. Raises SourceChanged
        if the source's entity tag is not ``source_etag``, or changes meanwhile, and ObjectChanged if the object is not
        the one that it ``replaces``, as :meth:`put` does.
        """
        what = f"copy {source_key} to {key}"
        head = source_head or source.head(source_key, source_version_id)
        if head is None:
            return None
        if source_etag and head.etag != source_etag:
            raise SourceChanged(detail=f"{what}: the source is {head.etag}")
        condition = _condition(replaces)
        attributes = {
            "Metadata": dict(head.metadata if metadata is None else metadata),
            **_header_fields(head.headers if headers is None else headers),
            **_storage_class(tiered),
        }
        place = {"Bucket": source.bucket, "Key": source_key, **_version(source_version_id)}
        with translate_errors(what):
            try:
                return self._copy(place, key, head, attributes, condition)
            except ClientError as error:
                if not (_is_missing(error) or error_code(error) in CHANGED_CODES):
                    raise
                found = source.head(source_key, source_version_id) if condition else None
                if found is not None and found.etag == head.etag:
                    raise ObjectChanged(detail=f"{what}: {error!r}") from error
                if _is_missing(error):
                    return None
                raise SourceChanged(detail=f"{what}: {error!r}") from error

    def _copy(
        self,
        place: Mapping[str, str],
        key: str,
        head: ObjectHead,
        attributes: Mapping[str, Any],
        condition: Mapping[str, str],
    ) -> str:
        """Copy the object with ``head`` at ``place``, in parts above the limit of one call; raises ClientError."""
        if head.size_bytes > COPY_LIMIT_BYTES:
            from .multipart_copy import copy_in_parts  # few objects are as large

            return copy_in_parts(
                self._client,
                place,
                {"Bucket": self.bucket, "Key": key},
                etag=head.etag,
                size_bytes=head.size_bytes,
                part_bytes=PART_BYTES,
                attributes=attributes,
                condition=condition,
            )
        answer = self._client.copy_object(
            Bucket=self.bucket,
            Key=key,
            CopySource=place,
            CopySourceIfMatch=head.etag,
            TaggingDirective="REPLACE",
            MetadataDirective="REPLACE",
            **attributes,
            **condition,
        )
        return str(answer["CopyObjectResult"]["ETag"])

    def delete(self, key: str, etag: str = "") -> None:
        """Delete ``key``; older versions stay, and a missing key is no error.

        Raises ObjectChanged, and deletes nothing, if its entity tag is not ``etag``.
        """
        if not _is_too_long(key):
            delete_one(self._client, self.bucket, ETag=etag, Key=key)

    def list_pages(self, prefix: str = "", start_after: str = "") -> Iterator[list[ListedObject]]:
        """Yield the objects whose keys start with ``prefix`` and sort after ``start_after``, at most 1,000 a page."""
        if _is_too_long(prefix):
            return
        paginator = self._client.get_paginator("list_objects_v2")
        sized = {"PageSize": PAGE_SIZE}
        pages = paginator.paginate(Bucket=self.bucket, Prefix=prefix, StartAfter=start_after, PaginationConfig=sized)
        answers = iter(pages)
        while True:
            with translate_errors(f"list {prefix}"):
                answer = next(answers, None)
                if answer is None:
                    return
                found = [
                    ListedObject(one["Key"], one["ETag"], one["Size"], one["LastModified"].timestamp())
                    for one in read_list(answer, "Contents")
                ]
            if found:
                yield found

    def is_deleted(self, key: str, version_id: str) -> bool:
        """Whether that version of ``key`` is deleted, or a delete marker is newer than it or of the same second."""
        paginator = self._client.get_paginator("list_object_versions")
        answers = iter(paginator.paginate(Bucket=self.bucket, Prefix=key, PaginationConfig={"PageSize": PAGE_SIZE}))
        versions, markers = list[dict[str, Any]](), list[dict[str, Any]]()
        while True:
            with translate_errors(f"list versions {key}"):
                answer = next(answers, None)
                if answer is None:
                    break
                versions += [one for one in read_list(answer, "Versions") if one["Key"] == key]
                markers += [one for one in read_list(answer, "DeleteMarkers") if one["Key"] == key]
        made = [one["LastModified"] for one in versions if one["VersionId"] == version_id]
        return not made or any(one["LastModified"] >= made[0] for one in markers)

    def delete_many(self, found: Sequence[ObjectHead | ListedObject]) -> int:
        """Delete the objects ``found``, in batches, except those that have changed since; return how many.

        Raises Unavailable if an object was not deleted for another reason.
        """
        return delete_listed(self._client, self.bucket, [{"Key": one.key, "ETag": one.etag} for one in found])

    def has_versions(self, key: str) -> bool:
        """Whether there is a version or a delete marker of exactly ``key``."""
        if _is_too_long(key):
            return False
        with translate_errors(f"list versions {key}"):
            answer = self._client.list_object_versions(Bucket=self.bucket, Prefix=key, MaxKeys=1)
            return any(one["Key"] == key for name in ("Versions", "DeleteMarkers") for one in read_list(answer, name))

    def erase(self, key: str) -> int:
        """Delete every version and delete marker of exactly ``key``; return how many there were."""
        return self._erase(key, only=key)

    def erase_below(self, prefix: str) -> int:
        """Delete every version and delete marker of every key that starts with ``prefix``; return how many."""
        if not prefix:
            raise ValueError("an empty prefix would erase the whole bucket")
        return self._erase(prefix)

    def _erase(self, prefix: str, only: str = "") -> int:
        """List, delete, and list from the start again: a deleted version may be the listing's position."""
        erased = 0
        if _is_too_long(prefix):
            return erased
        while True:
            with translate_errors(f"list versions {prefix}"):
                answer = self._client.list_object_versions(Bucket=self.bucket, Prefix=prefix, MaxKeys=PAGE_SIZE)
                versions = [*read_list(answer, "Versions"), *read_list(answer, "DeleteMarkers")]
                found = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
            wanted = [one for one in found if not only or one["Key"] == only]  # before all others that it begins
            if not wanted:
                return erased
            erased += delete_listed(self._client, self.bucket, wanted)


def _request_checksums(params: dict[str, Any], **_: object) -> None:
    """Request checksums without botocore's ChecksumMode, which would also verify them: ingest does, to refuse."""
    params["headers"]["x-amz-checksum-mode"] = "ENABLED"


def _is_too_long(key: str) -> bool:
    return len(key.encode()) > MAX_KEY_BYTES


def _is_missing(error: ClientError) -> bool:
    return error_code(error) in _MISSING


def _version(version_id: str) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}


def _condition(replaces: str | None) -> dict[str, str]:
    """Return the condition of a write of what ``replaces`` names: an entity tag, no object ("") or anything (None)."""
    if replaces is None:
        return {}
    return {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}


def _header_fields(headers: Mapping[str, str]) -> dict[str, str]:
    return {HEADERS[name]: value for name, value in headers.items()}


def _storage_class(tiered: bool) -> dict[str, str]:
    return {"StorageClass": "INTELLIGENT_TIERING" if tiered else "STANDARD"}
