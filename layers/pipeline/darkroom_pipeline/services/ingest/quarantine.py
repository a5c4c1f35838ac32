"""Copies of refused uploads, with the reason, in a bucket that nothing is served from."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from darkroom.errors import DarkroomError
from darkroom.image_keys import encode_key

from ...aws.s3 import MAX_KEY_BYTES, ObjectHead, S3Bucket

LONG_KEYS = ".-long/"
"""Prefix of the hashes of keys that are too long. No encoded key starts with it: an escape is ``.-`` and upper case
hexadecimal digits (:mod:`darkroom.image_keys`)."""

_MAX_VALUE_BYTES = 700
"""Limit of one value: S3 allows 2 KB of user metadata in total."""


def quarantine_key(key: str, sequencer: str) -> str:
    """Return the key of the copy of the upload of ``key`` with ``sequencer``."""
    readable = f"{encode_key(key)}/_/{sequencer}"
    if len(readable) <= MAX_KEY_BYTES:
        return readable
    return f"{long_key_prefix(key)}{sequencer}"


def long_key_prefix(key: str) -> str:
    """Return the prefix of copies of a ``key`` that is too long to be part of another key."""
    return f"{LONG_KEYS}{sha256(key.encode()).hexdigest()}/_/"


@dataclass(frozen=True)
class Quarantine:
    """The quarantine ``bucket``, which is write-only, and the bucket of ``uploads``."""

    bucket: S3Bucket
    uploads: S3Bucket

    def store(self, head: ObjectHead, sequencer: str, error: DarkroomError, *, digest: str, trace_id: str) -> str:
        """Copy this version; return the key of the copy, empty if the version was deleted. Raises Unavailable."""
        key = quarantine_key(head.key, sequencer)
        metadata = {
            "code": error.code,
            "reason": _to_header(error.message),
            "trace-id": trace_id,
            "sha256": digest,
            "source-key": _to_header(head.key),
        }
        headers = {"Content-Type": "application/octet-stream"}  # no browser opens it, whatever its type
        done = self.bucket.copy(
            self.uploads, head.key, key, headers=headers, metadata=metadata, source_version_id=head.version_id
        )
        return "" if done is None else key


def _to_header(text: str) -> str:
    """Percent-encode and shorten ``text`` for a header."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]")[:_MAX_VALUE_BYTES]
