"""One object put together of parts of others, inside S3: what is copied passes through nobody's memory."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ..errors import ObjectChanged, Unavailable
from .clients import error_code, translate_errors
from .s3_delete import CHANGED_CODES

AT_ONCE = 8
"""Parts that are copied at the same time: S3 copies one at some 100 MB/s."""

_MISSING = frozenset({"404", "NoSuchKey"})


@dataclass(frozen=True, slots=True)
class CopiedRange:
    """Bytes ``start`` to before ``end`` of the object ``key`` with that entity tag, of ``size_bytes``."""

    key: str
    etag: str
    size_bytes: int
    start: int
    end: int


type Part = bytes | CopiedRange
"""A part of the object: at least 5 MB, but for the last one."""


@dataclass(frozen=True)
class MultipartAssembler:
    """Objects of one bucket."""

    client: Any
    bucket: str

    def assemble(self, key: str, parts: Sequence[Part], *, content_type: str) -> str:
        """Make ``key`` of ``parts``; its entity tag. Raises Changed where a part is not what it was, Unavailable."""
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
        whole = (part.start, part.end) == (0, part.size_bytes)  # of what has 5 MB or less S3 copies no ranges
        ranged = {} if whole else {"CopySourceRange": f"bytes={part.start}-{part.end - 1}"}
        source = {"CopySource": {"Bucket": self.bucket, "Key": part.key}, "CopySourceIfMatch": part.etag}
        try:
            answer = self.client.upload_part_copy(**upload, PartNumber=number, **source, **ranged)
        except ClientError as error:
            if error_code(error) in CHANGED_CODES | _MISSING:
                raise ObjectChanged(detail=f"{part.key} is not {part.etag}: {error!r}") from error
            raise
        return str(answer["CopyPartResult"]["ETag"])

    def _abort(self, upload: dict[str, str]) -> None:
        """Give the parts up at once; what this does not reach a lifecycle rule does after a day."""
        try:
            with translate_errors(f"abort {upload['Key']}"):
                self.client.abort_multipart_upload(**upload)
        except Unavailable:
            return
