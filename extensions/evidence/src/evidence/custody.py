"""The chain of custody of each image: locked copies of its uploads, and records of everything that people do with them.

The records of a key are numbered JSON objects. Each has the SHA-256 of the one before, so that none can be changed,
inserted or left out without that all later ones differ. S3 Object Lock keeps them from being deleted, a legal hold of
the copies holds them as well, and each is also an entry of the audit log, which is another bucket.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from darkroom.errors import ObjectChanged, Unavailable
from darkroom.image_keys import encode_key
from darkroom_pipeline.aws.audit import ACCESS, AuditLog, hash_key

from .locked_bucket import HEADERS, LockedBucket, LockedVersion

RECEIVED, READ, HOLD, RELEASED, EXPORTED = "received", "read", "hold", "released", "exported"
"""Kinds of records: an upload was copied; a person read the report, set a legal hold, removed it, or exported all."""

FIRST = "0" * 64
"""The hash before the first record."""

ATTEMPTS = 20
"""Tries to write a record while others write theirs."""


def originals_prefix(key: str) -> str:
    """Return the prefix of the copies of uploads of ``key``, which are named by the version of the upload."""
    return f"originals/{encode_key(key)}/_/"


def records_prefix(key: str) -> str:
    """Return the prefix of the records of ``key``, which are named by their number."""
    return f"records/{encode_key(key)}/_/"


def _name_record(key: str, number: int) -> str:
    return f"{records_prefix(key)}{number:08}.json"


@dataclass(frozen=True, slots=True)
class CustodyRecord:
    """A record: its bytes, and the JSON in them."""

    body: bytes
    document: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """The hash that the next record has."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Custody:
    """Records in ``bucket``, and their entries in ``audit``. Faults are Unavailable."""

    bucket: LockedBucket
    audit: AuditLog | None
    clock: Callable[[], float] = time.time

    def read(self, key: str) -> list[CustodyRecord]:
        """Return the records of ``key`` in order."""
        bodies = [self.bucket.read(version) for version in self.bucket.list_versions(records_prefix(key))]
        return [CustodyRecord(body, json.loads(body)) for body in bodies]

    def append(self, kind: str, key: str, by: str, **facts: object) -> CustodyRecord:
        """Write a record about ``key``; ``by`` is the person, or the function. ``facts`` are JSON values.

        The entry of the audit log has the hash of the key: it stays when the image is erased.

        Raises Unavailable if the record or its entry cannot be written: then what it is about must not happen.
        """
        record = self._write(kind, key, by, facts)
        if record.document["held"]:
            self._hold_record(record)
        if self.audit is not None:
            number = record.document["number"]
            self.audit.write(ACCESS, hash_key(key), by, action=kind, record=number, record_sha256=record.sha256)
        return record

    def is_held(self, key: str) -> bool:
        """Whether the last decision about ``key`` was to set a legal hold."""
        last = self._read_last(key)
        if last is None or "held" in last.document:
            return last is not None and bool(last.document["held"])
        kinds = [record.document["kind"] for record in self.read(key)]
        return next((kind == HOLD for kind in reversed(kinds) if kind in (HOLD, RELEASED)), False)

    def set_hold(self, key: str, by: str, reason: str, *, is_on: bool) -> int:
        """Set or remove the legal hold of all copies and records of ``key``; return how many copies there are.

        A copy or record that is made meanwhile is listed after the record of the hold was written, or is made by a
        process that sees that record.
        """
        known = self.list_originals(key)
        self.append(HOLD if is_on else RELEASED, key, by, reason=reason, copies=[one.name for one in known])
        versions = self.list_originals(key)
        for version in (*versions, *self.bucket.list_versions(records_prefix(key))):
            self.bucket.set_hold(version, is_on=is_on)
        return len(versions)

    def list_originals(self, key: str) -> list[LockedVersion]:
        """Return the copies of uploads of ``key``."""
        return self.bucket.list_versions(originals_prefix(key))

    def _hold_record(self, record: CustodyRecord) -> None:
        name = _name_record(record.document["key"], record.document["number"])
        for version in self.bucket.list_versions(name):
            self.bucket.set_hold(version, is_on=True)

    def _write(self, kind: str, key: str, by: str, facts: Mapping[str, object]) -> CustodyRecord:
        for _ in range(ATTEMPTS):
            last = self._read_last(key)
            number = last.document["number"] + 1 if last else 1
            at = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
            held = kind == HOLD or (kind != RELEASED and last is not None and self._is_held_after(last, key))
            document = {
                "number": number,
                "previous": last.sha256 if last else FIRST,
                "at": at,
                "kind": kind,
                "key": key,
                "by": by,
                "held": held,
                "facts": dict(facts),
            }
            body = json.dumps(document, indent=1).encode()
            try:
                self.bucket.objects.put(_name_record(key, number), body, headers=HEADERS, metadata={}, replaces="")
            except ObjectChanged:  # another process wrote the number first, or this request was repeated
                continue
            return CustodyRecord(body, document)
        raise Unavailable(detail=f"no free number for a record of {key}")

    def _is_held_after(self, last: CustodyRecord, key: str) -> bool:
        """Whether a hold is in force after ``last``; records of earlier versions do not say so."""
        return bool(last.document["held"]) if "held" in last.document else self.is_held(key)

    def _read_last(self, key: str) -> CustodyRecord | None:
        versions = self.bucket.list_versions(records_prefix(key))
        if not versions:
            return None
        body = self.bucket.read(versions[-1])
        return CustodyRecord(body, json.loads(body))
