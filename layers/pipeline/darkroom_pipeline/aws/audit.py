"""The audit log: decisions, overrides, releases and erasures, each a JSON object that is written once.

The bucket keeps versions and locks each for a retention time; functions may only put objects there.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from darkroom.errors import ObjectChanged

from .s3 import S3Bucket

DECISION, OVERRIDE, RELEASE, ERASURE, ACCESS = "decision", "override", "release", "erasure", "access"
"""Kinds of entries: a decision of the monitor; a model's result overruled by a person; a version of code or model that
was released to users; an erasure request; a person's access to an image that is kept as proof."""

KINDS = (DECISION, OVERRIDE, RELEASE, ERASURE, ACCESS)


def hash_key(key: str) -> str:
    """Return the name of an erased key in the log, where the key itself would be a trace."""
    return "sha256:" + sha256(key.encode()).hexdigest()


@dataclass(frozen=True)
class AuditLog:
    """The log in ``bucket``. Faults are Unavailable."""

    bucket: S3Bucket
    clock: Callable[[], float] = time.time

    def write(self, kind: str, subject: str, by: str, **facts: object) -> str:
        """Write an entry and return its object key.

        ``subject`` is what the entry is about; ``by`` is a function's name, or the person's AWS identity. An erasure's
        subject is its key by :func:`hash_key`. ``facts`` are JSON values. Raises ValueError for an unknown
        ``kind``.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind of audit entry: {kind!r}")
        at = datetime.fromtimestamp(self.clock(), UTC)
        entry = {"at": at.isoformat(timespec="milliseconds"), "kind": kind, "subject": subject, "by": by}
        key = f"{_day_prefix(at)}{at:%H%M%S.%f}-{secrets.token_hex(6)}.json"
        body = json.dumps(entry | {"facts": facts}, separators=(",", ":")).encode()
        with suppress(ObjectChanged):  # the name is unique: a retry of this very write
            self.bucket.put(key, body, headers={"Content-Type": "application/json"}, metadata={}, replaces="")
        return key

    def list_newest(self, limit: int, *, days: int = 30) -> list[dict[str, Any]]:
        """Return at most ``limit`` entries of the last ``days``, newest first. Functions may not read."""
        found: list[dict[str, Any]] = []
        today = datetime.fromtimestamp(self.clock(), UTC).date()
        for day in (today - timedelta(days=past) for past in range(days)):
            found += self._read_day(day, limit - len(found))
            if len(found) >= limit:
                break
        return found

    def _read_day(self, day: date, limit: int) -> Iterator[dict[str, Any]]:
        keys = [one.key for page in self.bucket.list_pages(_day_prefix(day)) for one in page]
        for key in sorted(keys, reverse=True)[:limit]:
            if body := self.bucket.read(key):
                yield json.loads(body)


def _day_prefix(day: date) -> str:
    return f"{day:%Y/%m/%d}/"
