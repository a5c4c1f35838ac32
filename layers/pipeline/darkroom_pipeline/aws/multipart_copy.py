"""Multipart copies inside S3: of one large object, or of parts of several objects. No worker reads the bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from darkroom.errors import ObjectChanged, Unavailable

from .clients import error_code, translate_errors
from .s3_objects import CHANGED_CODES

AT_ONCE = 8
"""Parts that are copied at the same time: S3 copies one at some 100 MB/s."""

_MISSING_CODES = frozenset({"404", "NoSuchKey"})


def copy_in_parts(
    client: Any,
    source: Mapping[str, str],
    target: Mapping[str, str],
    *,
    etag: str,
    size_bytes: int,
    part_bytes: int,
    attributes: Mapping[str, Any],
    condition: Mapping[str, str],
) -> str:
    """Copy ``source`` to ``target`` in parts of ``part_bytes``; return the ETag of the copy. Raises what boto3 raises.

    ``source`` and ``target`` are a bucket and a key, ``source`` optionally with a version. ``etag`` is the ETag that
    the source must keep. ``attributes`` are arguments of CreateMultipartUpload, ``condition`` those of
    CompleteMultipartUpload.

    The ETag is that in CompleteMultipartUpload's response. s3transfer drops it, and HeadObject needs
    ``s3:GetObject``, which no function has on the quarantine bucket (S3 API reference, "HeadObject", "Permissions").
    """

    def copy(upload: Mapping[str, str], number: int) -> str:
        start = (number - 1) * part_bytes
        ranged = f"bytes={start}-{min(start + part_bytes, size_bytes) - 1}"
        checked = {"CopySource": dict(source), "CopySourceIfMatch": etag, "CopySourceRange": ranged}
        response = client.upload_part_copy(**upload, PartNumber=number, **checked)
        return str(response["CopyPartResult"]["ETag"])

    return _upload_parts(client, target, attributes, -(-size_bytes // part_bytes), copy, condition)


def _upload_parts(
    client: Any,
    target: Mapping[str, str],
    attributes: Mapping[str, Any],
    count: int,
    put: Callable[[Mapping[str, str], int], str],
    condition: Mapping[str, str],
) -> str:
    """Make ``target`` of ``count`` parts; return its ETag. ``put`` stores the part of a number, from 1 on.

    After an error the upload is aborted. Parts that this does not reach are deleted by a lifecycle rule after a day.
    """
    upload = {**target, "UploadId": client.create_multipart_upload(**target, **attributes)["UploadId"]}
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tags = [*pool.map(partial(put, upload), range(1, count + 1))]
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        return str(client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)["ETag"])
    except (BotoCoreError, ClientError, ObjectChanged, Unavailable):
        with suppress(BotoCoreError, ClientError):
            client.abort_multipart_upload(**upload)
        raise


@dataclass(frozen=True, slots=True)
class CopiedRange:
    """Bytes ``start`` to ``end`` (exclusive) of the object ``key`` with that ETag, of ``size_bytes``."""

    key: str
    etag: str
    size_bytes: int
    start: int
    end: int


type Part = bytes | CopiedRange
"""A part of the object: at least 5 MB, except for the last one."""


@dataclass(frozen=True)
class MultipartAssembler:
    """Assembles objects of ``bucket`` from parts of others."""

    client: Any
    bucket: str

    def assemble(self, key: str, parts: Sequence[Part], *, content_type: str) -> str:
        """Make ``key`` of ``parts``; its entity tag. Raises ObjectChanged where a part is not what it was,
        Unavailable."""
        target = {"Bucket": self.bucket, "Key": key}
        with translate_errors(f"assemble {key}"):
            put = partial(self._put, parts)
            return _upload_parts(self.client, target, {"ContentType": content_type}, len(parts), put, {})

    def _put(self, parts: Sequence[Part], upload: Mapping[str, str], number: int) -> str:
        part = parts[number - 1]
        if isinstance(part, bytes):
            return str(self.client.upload_part(**upload, PartNumber=number, Body=part)["ETag"])
        return self._copy(upload, number, part)

    def _copy(self, upload: Mapping[str, str], number: int, part: CopiedRange) -> str:
        whole = (part.start, part.end) == (0, part.size_bytes)  # S3 copies no ranges of an object of up to 5 MB
        ranged = {} if whole else {"CopySourceRange": f"bytes={part.start}-{part.end - 1}"}
        source = {"CopySource": {"Bucket": self.bucket, "Key": part.key}, "CopySourceIfMatch": part.etag}
        try:
            response = self.client.upload_part_copy(**upload, PartNumber=number, **source, **ranged)
        except ClientError as error:
            if error_code(error) in CHANGED_CODES | _MISSING_CODES:
                raise ObjectChanged(detail=f"{part.key} is not {part.etag}: {error!r}") from error
            raise
        return str(response["CopyPartResult"]["ETag"])
