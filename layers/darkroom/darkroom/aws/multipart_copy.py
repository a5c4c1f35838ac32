"""Multipart copies inside S3: of one large object, or of parts of several objects. No worker reads the bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..errors import ObjectChanged, Unavailable
from .clients import error_code, translate_errors
from .s3_delete import CHANGED_CODES

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
) -> str:
    """Copy ``source`` to ``target`` in parts of ``part_bytes``; return the ETag of the copy. Raises what boto3 raises.

    ``source`` and ``target`` are a bucket and a key, ``source`` optionally with a version. ``etag`` is the ETag that
    the source must keep. ``attributes`` are arguments of CreateMultipartUpload.

    The ETag is that in CompleteMultipartUpload's response. s3transfer drops it, and HeadObject needs
    ``s3:GetObject``, which no function has on the quarantine bucket (S3 API reference, "HeadObject", "Permissions").
    """
    upload = {**target, "UploadId": client.create_multipart_upload(**target, **attributes)["UploadId"]}

    def copy(number: int) -> dict[str, Any]:
        start = (number - 1) * part_bytes
        end = min(start + part_bytes, size_bytes)
        response = client.upload_part_copy(
            **upload,
            PartNumber=number,
            CopySource=dict(source),
            CopySourceIfMatch=etag,
            CopySourceRange=f"bytes={start}-{end - 1}",
        )
        return {"PartNumber": number, "ETag": response["CopyPartResult"]["ETag"]}

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            parts = [*pool.map(copy, range(1, -(-size_bytes // part_bytes) + 1))]
        done = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    except (BotoCoreError, ClientError):
        with suppress(BotoCoreError, ClientError):  # a lifecycle rule drops the parts where this is not allowed
            client.abort_multipart_upload(**upload)
        raise
    return str(done["ETag"])


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
        with translate_errors(f"assemble {key}"):
            begun = self.client.create_multipart_upload(Bucket=self.bucket, Key=key, ContentType=content_type)
        upload = {"Bucket": self.bucket, "Key": key, "UploadId": begun["UploadId"]}
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                tags = [*pool.map(lambda one: self._put(upload, *one), enumerate(parts, 1))]
            listed = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
            with translate_errors(f"assemble {key}"):
                return str(self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})["ETag"])
        except (ObjectChanged, Unavailable):
            self._abort(upload)
            raise

    def _put(self, upload: dict[str, str], number: int, part: Part) -> str:
        with translate_errors(f"part {number} of {upload['Key']}"):
            if isinstance(part, bytes):
                return str(self.client.upload_part(**upload, PartNumber=number, Body=part)["ETag"])
            return self._copy(upload, number, part)

    def _copy(self, upload: dict[str, str], number: int, part: CopiedRange) -> str:
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

    def _abort(self, upload: dict[str, str]) -> None:
        """Delete the parts at once. A lifecycle rule deletes what this does not reach after a day."""
        try:
            with translate_errors(f"abort {upload['Key']}"):
                self.client.abort_multipart_upload(**upload)
        except Unavailable:
            return
