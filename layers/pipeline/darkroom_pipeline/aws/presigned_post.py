"""S3's presigned POST: fields with which a client without credentials may upload one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .clients import translate_errors
from .s3_objects import DECLARED_SHA256


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """The URL to POST to, as multipart/form-data, and the fields to send before the field ``file``."""

    url: str
    fields: Mapping[str, str]


class PostPresigner:
    """Presigns POSTs to ``bucket``, without a request to S3. ``client`` is a boto3 client for S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def presign(
        self,
        key: str,
        content_type: str,
        size_bytes: int,
        sha256: str,
        *,
        expires_in_s: int,
        metadata: Mapping[str, str] | None = None,
    ) -> PresignedPost:
        """Presign a POST that accepts exactly these bytes, ``sha256`` in base64, under ``key``; raises Unavailable.

        ``key`` must not hold ``${filename}``, which S3 replaces. ``metadata`` is further user metadata of the object.
        """
        fields = {
            "Content-Type": content_type,
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": sha256,
            f"x-amz-meta-{DECLARED_SHA256}": sha256,
            **{f"x-amz-meta-{name}": value for name, value in (metadata or {}).items()},
        }
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        with translate_errors(f"form for {key}"):
            made = self._client.generate_presigned_post(
                self._bucket,
                key,
                Fields=dict(fields),
                Conditions=[*conditions, ["content-length-range", size_bytes, size_bytes]],
                ExpiresIn=expires_in_s,
            )
        return PresignedPost(made["url"], made["fields"])
