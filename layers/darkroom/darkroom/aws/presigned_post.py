"""Forms by which anybody may put one object into a bucket: S3's presigned POST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .clients import translate_errors

DECLARED_SHA256 = "declared-sha256"
"""User metadata of an upload: the base64 of the SHA-256 that was asked for. S3 checks the form's checksum by itself;
not every store that speaks S3 does, and with this nobody has to take its word."""

FINDINGS, FINDINGS_SIGNATURE = "findings", "findings-signature"
"""User metadata of an upload: what the uploader's device found in it, and that we let it say so."""


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """Where to POST, as multipart/form-data, and the fields that come before the field ``file``."""

    url: str
    fields: Mapping[str, str]


class PostPresigner:
    """Makes forms for ``bucket``, without a word to S3. ``client`` is a boto3 client for S3."""

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
        """A form that takes exactly these bytes, ``sha256`` in base64, under this very key; raises Unavailable.

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
