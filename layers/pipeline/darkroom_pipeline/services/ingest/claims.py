"""Leases on keys, and repair after a stale worker wrote.

S3 has no transaction over a master and its index item. A worker therefore verifies its claim before and after each
write. A worker that lost its claim in between may have replaced a newer master: it requests a repair of the key. A
worker that was killed in between is detected when its message is received again: the sequencer of the master differs
from that in the index.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from darkroom.aws.telemetry import log
from darkroom.errors import Busy, Unavailable
from darkroom.image_keys import HELD_MASTERS, ObjectNames

from ...aws.index import Index
from ...aws.record import HELD, READY, REMOVED, MasterRef, Record
from ...aws.s3 import ObjectHead, S3Bucket
from ...aws.sqs import Queue
from .events import build_repair_message

SEQUENCER, SHA256, VERSION_ID, HOW = "sequencer", "sha256", "version-id", "how"
"""User metadata of a master: the event and the upload that it was made from, and the method."""

PYRAMID = "pyramid"
"""The method of a master that holds smaller versions of itself."""

REPAIR_DELAY_S = 5
"""Delay of a repair after a lost claim: time for the other worker to finish."""

MAX_REPAIRS = 100
"""Longest chain of repair messages. Each needs another attempt that supersedes the one before: a chain is short.

Ingest sends to the queue that it consumes, and Lambda's recursive loop detection is off for it (decision 30):
this ends the loop.
"""

CHECK_DELAY_S = 60
"""Delay of the check of a key whose master was replaced or deleted. A write of an earlier worker whose connection broke
may be carried out after that: over a deleted master, or over one with the bytes that the write expects."""

_MAX_DELAY_S = 900
"""The longest that SQS delays a message."""


class Superseded(Exception):
    """A newer event, or another attempt, claimed the key. ``wrote``: whether this worker may have undone its work."""

    def __init__(self, *, wrote: bool = False) -> None:
        super().__init__()
        self.wrote = wrote


class StaleIndex(Exception):
    """The master was made for an event newer than any in the index: the index lost its item."""

    def __init__(self, sequencer: str) -> None:
        super().__init__(sequencer)
        self.sequencer = sequencer


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on ``key`` for the event ``sequencer`` (padded).

    ``repairs`` counts the repair messages that led to it.
    """

    key: str
    sequencer: str
    token: str
    repairs: int = 0

    def build_record(self, state: str, **fields: Any) -> Record:
        """Build a record of the key with this claim."""
        return Record(self.key, state, self.sequencer, self.token, **fields)

    def build_ready_record(self, sha256: str, version_id: str, **fields: Any) -> Record:
        """Build the record of an image that is served, made from that version of the upload."""
        return self.build_record(READY, sha256=sha256, version_id=version_id, **fields)


@dataclass(frozen=True)
class Claims:
    """Claims on keys. Masters are in ``source`` by ``names``; ``queue`` is ingest's own.

    ``held_bucket``: the bucket of masters that wait for moderation; None if the policy is not to wait.
    """

    index: Index
    queue: Queue
    source: S3Bucket
    names: ObjectNames
    lease_s: float
    clock: Callable[[], float] = time.time
    held_bucket: S3Bucket | None = None

    def acquire(self, key: str, sequencer: str, *, replaces_token: str) -> Lease:
        """Claim ``key``; raises Superseded, or Busy while another attempt at the same event may be running."""
        lease = Lease(key, sequencer, uuid.uuid4().hex)
        times = {"now_s": self.clock(), "lease_s": self.lease_s}
        if not self.index.claim(key, sequencer, lease.token, **times, replaces_token=replaces_token):
            raise Superseded
        return lease

    def require(self, lease: Lease, *, wrote: bool) -> None:
        """Raise Superseded unless ``lease`` is still valid."""
        if not self.index.has_lease(lease.key, lease.token):
            raise Superseded(wrote=wrote)

    def get_own_record(self, lease: Lease) -> Record:
        """Return the record under ``lease``, which still describes an earlier master; raises Superseded."""
        known = self.index.get(lease.key)
        if known is None or known.token != lease.token:
            raise Superseded
        return known

    def settle(self, record: Record) -> None:
        """Write the record that ends the work on it; raises Superseded."""
        if not self.index.put_record(record):
            raise Superseded(wrote=True)

    def mark_announced(self, record: Record) -> None:
        """Note in the index that the event of ``record`` is published."""
        self.index.put_record(replace(record, announced=True))

    def build_busy(self, known: Record) -> Busy:
        """Build the error that delays a message until the lease of ``known`` ends."""
        left_s = known.lease_until_s - self.clock()
        return Busy(retry_in_s=max(1.0, left_s), detail=f"{known.key} is claimed by {known.token}")

    def head_master(self, key: str) -> ObjectHead | None:
        """Return the head of the master of ``key``."""
        return self.source.head(self.names.name(key))

    def request_repair(self, key: str, *, wrote: bool, repairs: int = 0) -> None:
        """Have ``key`` repaired if its objects are not those of its record; ``wrote``: whether we may have undone them.

        ``repairs`` counts the repair messages that led here. Raises Unavailable after :data:`MAX_REPAIRS`.
        """
        if wrote:
            self._send_repair(key, repairs, REPAIR_DELAY_S)
            return
        record = self.index.get(key)
        if record is None or self.is_consistent(record):
            return
        wait_s = 0 if record.done else max(0, record.lease_until_s - self.clock()) + 1
        log("WARNING", "master differs from index", key=key, sequencer=record.sequencer)
        self._send_repair(key, repairs, int(min(wait_s, _MAX_DELAY_S)))

    def request_check(self, lease: Lease) -> None:
        """Have the key of ``lease`` checked after :data:`CHECK_DELAY_S`. Raises Unavailable."""
        self._send_repair(lease.key, lease.repairs, CHECK_DELAY_S)

    def _send_repair(self, key: str, repairs: int, delay_s: int) -> None:
        if repairs >= MAX_REPAIRS:
            raise Unavailable(detail=f"{key} was superseded in {repairs} repairs")
        self.queue.send(build_repair_message(key, repairs + 1), delay_s=delay_s)

    def is_consistent(self, record: Record) -> bool:
        """Whether the objects of the key are those that ``record`` describes, or will describe."""
        return self.matches(record, self.head_master(record.key)) and self._held_master_matches(record)

    def _held_master_matches(self, record: Record) -> bool:
        """A key in progress is checked when that ends. A held master without a held record is an orphan."""
        if self.held_bucket is None or not record.done:
            return True
        existing = self.held_bucket.head(HELD_MASTERS.name(record.key))
        found = existing.metadata.get(SEQUENCER, "") if existing is not None else ""
        expected = record.held.master if record.state == HELD else MasterRef()
        return found == expected.sequencer

    def matches(self, record: Record, master: ObjectHead | None) -> bool:
        """Whether the master is the one that ``record`` describes, or will describe once its claim is done.

        A master without a sequencer was stored by an operator and is not changed.
        """
        if master is not None and SEQUENCER not in master.metadata:
            return True
        existing = master.metadata[SEQUENCER] if master is not None else ""
        if not record.done:
            return existing == record.sequencer
        return existing == ("" if record.state == REMOVED else record.master.sequencer)


@dataclass
class EventAttempt:
    """One attempt at an event. The key is claimed just before the first change.

    ``replaces_token`` is the token of the attempt that completed the event, if it is to be repeated. ``repairs`` counts
    the repair messages that led to it.
    """

    claims: Claims
    key: str
    sequencer: str
    replaces_token: str = ""
    repairs: int = 0
    _lease: Lease | None = None

    def acquire(self) -> Lease:
        """Return the lease; raises Superseded or Busy."""
        if self._lease is None:
            lease = self.claims.acquire(self.key, self.sequencer, replaces_token=self.replaces_token)
            self._lease = replace(lease, repairs=self.repairs)
        return self._lease

    def with_newer_event(self, sequencer: str) -> EventAttempt:
        """Make this the attempt at the newer event ``sequencer``."""
        self.sequencer, self._lease = sequencer, None
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, failure: BaseException | None, _: object) -> None:
        """Release the lease after a fault or a defect: the next attempt need not wait for its end."""
        failed = isinstance(failure, Exception) and not isinstance(failure, Superseded)
        if self._lease is None or not failed:
            return
        try:
            self.claims.index.release_lease(self._lease.key, self._lease.token)
        except Unavailable as error:
            log("WARNING", "lease not released", key=self.key, detail=error.detail)
