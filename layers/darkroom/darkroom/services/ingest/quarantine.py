"""Copies of refused uploads, with what was wrong, where nothing is served from."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from ...aws.s3 import MAX_KEY_BYTES, ObjectHead, S3Bucket
from ...errors import DarkroomError
from ...key_encoding import encode_key

LONG_KEYS = ".-long/"
"""Before the hashes of keys that are too long. No encoding of a key begins with it, since an escape is ``.-`` and
hexadecimal digits in upper case (:mod:`darkroom.key_encoding`)."""

_MAX_VALUE_BYTES = 700
"""Of one value: S3 allows 2 KB of user metadata in all."""


def quarantine_key(key: str, sequencer: str) -> str:
    """Where the upload of ``key`` that came with ``sequencer`` is kept."""
    readable = f"{encode_key(key)}/_/{sequencer}"
    if len(readable) <= MAX_KEY_BYTES:
        return readable
    return f"{long_key_prefix(key)}{sequencer}"


def long_key_prefix(key: str) -> str:
    """The folder of copies of a ``key`` that is too long to be part of another."""
    return f"{LONG_KEYS}{sha256(key.encode()).hexdigest()}/_/"


@dataclass(frozen=True)
class Quarantine:
    """The bucket, which may only be put to, and that of the uploads."""

    bucket: S3Bucket
    uploads: S3Bucket

    def store(self, kept: ObjectHead, sequencer: str, error: DarkroomError, *, digest: str, trace_id: str) -> str:
        """Copy this very version; its key in quarantine, empty if the version has been deleted. Raises Unavailable."""
        key = quarantine_key(kept.key, sequencer)
        metadata = {
            "code": error.code,
            "reason": _ascii(error.message),
            "trace-id": trace_id,
            "sha256": digest,
            "source-key": _ascii(kept.key),
        }
        headers = {"Content-Type": "application/octet-stream"}  # whatever it claims to be, no browser shall open it
        done = self.bucket.copy(
            self.uploads, kept.key, key, headers=headers, metadata=metadata, source_version_id=kept.version_id
        )
        return "" if done is None else key


def _ascii(text: str) -> str:
    """``text`` as a header can have it: percent-encoded where it is not plain ASCII, and not too long."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]")[:_MAX_VALUE_BYTES]
