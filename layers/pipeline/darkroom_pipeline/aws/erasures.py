"""The state of erasures in the index table, by the SHA-256 of their keys.

The forget function erases what is stored; then the purge function invalidates the CDN and confirms that CloudFront has
completed that. Each writes its own half of the state, so that neither reports success for the other.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .audit import hash_key
from .clients import translate_errors, write_if

RUNNING, PENDING_INVALIDATION, COMPLETE, FAILED = "running", "pending_invalidation", "complete", "failed"
"""States of an erasure. ``failed``: something is left; a further run for the same key continues."""

DONE, PENDING = "done", "pending"
"""States of a half, beside ``failed``."""

ERASURE = "erasure#"
"""Prefix of the partition key; the key's hash follows."""

RETENTION_S = 35 * 86_400
"""The same as for the tombstone of the key."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The state of the last erasure of a key. ``started_s`` is Unix time."""

    id: str
    started_s: float
    stored: str = RUNNING
    cdn: str = PENDING
    invalidation: str = ""

    @property
    def status(self) -> str:
        """The state of both halves together."""
        if FAILED in (self.stored, self.cdn):
            return FAILED
        if self.stored == RUNNING:
            return RUNNING
        return COMPLETE if self.cdn == DONE else PENDING_INVALIDATION


def new_erasure_id(now_s: float) -> str:
    """Create the id of an erasure; ids of later ones are greater."""
    return f"{int(now_s * 1000):013d}-{uuid.uuid4().hex[:8]}"


def started_s(erasure_id: str) -> float:
    """Return the start of the erasure (Unix time); 0 for a malformed id."""
    digits = erasure_id.partition("-")[0]
    return int(digits) / 1000 if digits.isascii() and digits.isdigit() else 0.0


class ErasureTable:
    """The items in ``table``. Every fault is Unavailable."""

    def __init__(self, client: Any, table: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def begin(self, key: str, erasure_id: str) -> None:
        """Replace the state of ``key`` by a running erasure."""
        self._update(key, erasure_id, {"stored": RUNNING, "cdn": PENDING, "invalidation": ""}, only_if="")

    def set_stored(self, key: str, erasure_id: str, state: str) -> bool:
        """Write the state of the stored half; return False if a later erasure of ``key`` has begun."""
        return self._update(key, erasure_id, {"stored": state})

    def set_cdn(self, key: str, erasure_id: str, state: str, invalidation: str = "") -> bool:
        """Write the state of the CDN half, with the id of the last ``invalidation``; return as ``set_stored``."""
        return self._update(key, erasure_id, {"cdn": state, "invalidation": invalidation})

    def get(self, key: str) -> Erasure | None:
        """Read the last erasure of ``key`` within :data:`RETENTION_S`, consistently."""
        with translate_errors("erasure get"):
            found = self._client.get_item(TableName=self._table, Key=_item_key(key), ConsistentRead=True)
        if "Item" not in found:
            return None
        text = {name: str(value.get("S", "")) for name, value in found["Item"].items()}
        return Erasure(text["id"], started_s(text["id"]), text["stored"], text["cdn"], text["invalidation"])

    def _update(self, key: str, erasure_id: str, texts: Mapping[str, str], only_if: str = "#id = :id") -> bool:
        expires_s = int(self._clock()) + RETENTION_S
        names = {"#id": "id", **{f"#{name}": name for name in texts}}
        values = {":id": {"S": erasure_id}, ":until": {"N": str(expires_s)}}
        values |= {f":{name}": {"S": text} for name, text in texts.items()}
        sets = ", ".join(["#id = :id", "expires_at_s = :until", *(f"#{name} = :{name}" for name in texts)])
        condition = {"ConditionExpression": only_if} if only_if else {}
        return write_if(
            self._client.update_item,
            "erasure update",
            TableName=self._table,
            Key=_item_key(key),
            UpdateExpression=f"SET {sets}",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            **condition,
        )


def _item_key(key: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": ERASURE + hash_key(key)}}
