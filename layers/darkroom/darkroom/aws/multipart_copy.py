"""Copies of large objects inside S3, part by part, that need no permission to read the copy."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

AT_ONCE = 8
"""Parts that are copied at the same time: S3 copies one at some 100 MB/s."""


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
    """Copy ``source`` to ``target`` in parts of ``part_bytes``; the entity tag of the copy. Raises what boto3 raises.

    ``source`` and ``target`` are a bucket and a key, ``source`` also a version where one is meant. ``etag`` is the
    entity tag that the source must have all the time. ``attributes`` are arguments of CreateMultipartUpload.

    The entity tag is that of CompleteMultipartUpload's answer. s3transfer drops it, and HeadObject needs
    ``s3:GetObject``, which no function has on the quarantine bucket (S3 API reference, "HeadObject", "Permissions").
    """
    upload = {**target, "UploadId": client.create_multipart_upload(**target, **attributes)["UploadId"]}

    def copy(number: int) -> dict[str, Any]:
        start = (number - 1) * part_bytes
        end = min(start + part_bytes, size_bytes)
        answer = client.upload_part_copy(
            **upload,
            PartNumber=number,
            CopySource=dict(source),
            CopySourceIfMatch=etag,
            CopySourceRange=f"bytes={start}-{end - 1}",
        )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            parts = [*pool.map(copy, range(1, -(-size_bytes // part_bytes) + 1))]
        done = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    except (BotoCoreError, ClientError):
        with suppress(BotoCoreError, ClientError):  # a lifecycle rule drops the parts where this is not allowed
            client.abort_multipart_upload(**upload)
        raise
    return str(done["ETag"])
