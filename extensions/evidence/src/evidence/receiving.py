"""Copy each upload into the custody bucket, and record who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from darkroom_pipeline.aws.clients import translate_errors
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.s3_objects import CHUNK_BYTES

from .custody import RECEIVED, Custody, originals_prefix
from .locked_bucket import LockedVersion

FUNCTION = "custody"


@dataclass(frozen=True)
class Receiver:
    """Copies from ``uploads``; ``client`` is that of S3."""

    client: Any
    uploads: S3Bucket
    custody: Custody

    def receive(self, detail: Mapping[str, Any]) -> str:
        """Copy the version of the event ``detail`` of S3; return its SHA-256, empty if it is gone or was copied before.

        Raises Unavailable.
        """
        stored = detail["object"]
        key, version_id = str(stored["key"]), str(stored.get("version-id", ""))
        if any(record.document["facts"].get("version_id") == version_id for record in self._received(key)):
            return ""
        name = originals_prefix(key) + (version_id or "null")
        copied = self.custody.bucket.objects.copy(self.uploads, key, name, source_version_id=version_id)
        if copied is None:
            return ""
        version = next(one for one in self.custody.list_originals(key) if one.name == name)
        digest, size_bytes = self._digest(version)
        if self.custody.is_held(key):
            self.custody.bucket.set_hold(version, is_on=True)
        self.custody.append(
            RECEIVED,
            key,
            FUNCTION,
            version_id=version_id,
            sha256=digest,
            size_bytes=size_bytes,
            copy=version.name,
            copy_version_id=version.version_id,
            sequencer=stored.get("sequencer", ""),
            reason=detail.get("reason", ""),
            requester=detail.get("requester", ""),
            source_ip=detail.get("source-ip-address", ""),
        )
        return digest

    def _received(self, key: str) -> list[Any]:
        return [record for record in self.custody.read(key) if record.document["kind"] == RECEIVED]

    def _digest(self, version: LockedVersion) -> tuple[str, int]:
        found, size_bytes = sha256(), 0
        with translate_errors(f"get {version.name}"):
            answer = self.client.get_object(
                Bucket=self.custody.bucket.name, Key=version.name, VersionId=version.version_id
            )
            with answer["Body"] as body:
                while chunk := body.read(CHUNK_BYTES):
                    found.update(chunk)
                    size_bytes += len(chunk)
        return found.hexdigest(), size_bytes
