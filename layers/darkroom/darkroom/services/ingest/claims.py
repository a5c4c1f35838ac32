"""Who may change the state of a key, and what is done when somebody did who should not have.

S3 has no transaction over a master and its index item. So a worker verifies its claim before and after it writes. One
that was overtaken in between may have replaced a newer master: it asks for the key to be mended. One that was killed
there is found out when its message comes again: the master does not bear the sequencer that the index knows.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from ...aws.index import Claimed, Index
from ...aws.record import HELD, READY, REMOVED, Record
from ...aws.s3 import ObjectHead, S3Bucket
from ...aws.sqs import Queue
from ...aws.telemetry import log
from ...errors import Unavailable
from ..s3_keys import HELD_MASTERS, ObjectNames
from .events import build_repair_message

SEQUENCER, SHA256, VERSION_ID, HOW = "sequencer", "sha256", "version-id", "how"
"""User metadata of a master: the event and the upload that it was made of, and in which way."""

PYRAMID = "pyramid"
"""The way of a master that holds smaller versions of itself."""

REPAIR_DELAY_S = 5
"""After being overtaken: time for the other worker to end what it is doing."""

MAX_REPAIRS = 100
"""Of one chain of repair messages. Each needs another attempt that overtakes the one before, so that a chain is short.

Ingest sends to the queue that it consumes, and Lambda's recursive loop detection is off for it (docs/decisions/0030):
this ends the loop.
"""

_MAX_DELAY_S = 900
"""The longest that SQS delays a message."""


class Superseded(Exception):
    """A newer event, or another attempt, has taken the key over. ``wrote``: whether we may have undone its work."""

    def __init__(self, *, wrote: bool = False) -> None:
        super().__init__()
        self.wrote = wrote


class StaleIndex(Exception):
    """The master was made for an event newer than any that the index knows: the index has lost its item."""

    def __init__(self, sequencer: str) -> None:
        super().__init__(sequencer)
        self.sequencer = sequencer


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on ``key`` for the event ``sequencer`` (padded)."""

    key: str
    sequencer: str
    token: str

    def ready(self, sha256: str, version_id: str, **made: Any) -> Record:
        """The record of a picture that is served, made of that version of the upload. ``made``: further fields."""
        return Record(self.key, READY, self.sequencer, self.token, sha256=sha256, version_id=version_id, **made)


@dataclass(frozen=True)
class Claims:
    """Claims on keys. Masters are in ``source`` by ``names``; ``queue`` is the one that changes come from.

    ``holding``: the bucket of masters that wait for moderation, where pictures have to; None where they do not.
    """

    index: Index
    queue: Queue
    source: S3Bucket
    names: ObjectNames
    lease_s: float
    clock: Callable[[], float] = time.time
    holding: S3Bucket | None = None

    def take(self, key: str, sequencer: str, *, instead_of: str) -> Lease:
        """Claim ``key``; raises Superseded, or Busy while another attempt at the same event may be running."""
        hold = Lease(key, sequencer, uuid.uuid4().hex)
        claim = self.index.claim(
            key, sequencer, hold.token, now_s=self.clock(), lease_s=self.lease_s, instead_of=instead_of
        )
        if not isinstance(claim, Claimed):
            raise Superseded
        return hold

    def require(self, hold: Lease, *, wrote: bool) -> None:
        """Raise Superseded unless ``hold`` still stands."""
        if not self.index.has_lease(hold.key, hold.token):
            raise Superseded(wrote=wrote)

    def own(self, hold: Lease) -> Record:
        """The record as it is under our claim, with what it says of an earlier master; raises Superseded."""
        known = self.index.get(hold.key)
        if known is None or known.token != hold.token:
            raise Superseded
        return known

    def settle(self, record: Record) -> None:
        """Write the record that ends the work on it; raises Superseded."""
        if not self.index.put_record(record):
            raise Superseded(wrote=True)

    def master(self, key: str) -> ObjectHead | None:
        """The head of the master of ``key``."""
        return self.source.head(self.names.name(key))

    def overtaken(self, key: str, *, wrote: bool, repairs: int = 0) -> None:
        """See that the newer state of ``key`` stays, or comes back; ``wrote``: whether we may have undone it.

        ``repairs`` counts the repair messages that led here. Raises Unavailable after :data:`MAX_REPAIRS`.
        """
        if wrote:
            self._repair(key, repairs, REPAIR_DELAY_S)
            return
        record = self.index.get(key)
        if record is None or self.in_order(record):
            return
        wait_s = 0 if record.done else max(0, record.lease_until_s - self.clock()) + 1
        log("WARNING", "the master is not that of the index", key=key, sequencer=record.sequencer)
        self._repair(key, repairs, int(min(wait_s, _MAX_DELAY_S)))

    def _repair(self, key: str, repairs: int, delay_s: int) -> None:
        if repairs >= MAX_REPAIRS:
            raise Unavailable(detail=f"{key} was overtaken in {repairs} repairs")
        self.queue.send(build_repair_message(key, repairs + 1), delay_s=delay_s)

    def in_order(self, record: Record) -> bool:
        """Whether the objects of the key are those that ``record`` speaks of, or will speak of."""
        return self.agrees(record, self.master(record.key)) and self._holds_what_it_should(record)

    def _holds_what_it_should(self, record: Record) -> bool:
        """What is still claimed is looked at when that ends. A master that waits while none should is nobody's."""
        if self.holding is None or not record.done:
            return True
        there = self.holding.head(HELD_MASTERS.name(record.key))
        waiting = there.metadata.get(SEQUENCER, "") if there is not None else ""
        return waiting == (record.held["master"]["sequencer"] if record.state == HELD else "")

    def agrees(self, record: Record, master: ObjectHead | None) -> bool:
        """Whether the master is the one that ``record`` speaks of, or will speak of once its claim is done.

        A master without a sequencer was put there by hand, past this pipeline, and is left alone.
        """
        if master is not None and SEQUENCER not in master.metadata:
            return True
        there = master.metadata[SEQUENCER] if master is not None else ""
        if not record.done:
            return there == record.sequencer
        return there == ("" if record.state == REMOVED else record.master.get("sequencer", ""))


@dataclass
class Attempt:
    """One try at an event. The key is claimed when something is first to be changed.

    ``instead_of`` is the token of the attempt by which it is done already, if it is to be done again.
    """

    claims: Claims
    key: str
    sequencer: str
    instead_of: str = ""
    _hold: Lease | None = None

    def claimed(self) -> Lease:
        """The claim; raises Superseded or Busy."""
        if self._hold is None:
            self._hold = self.claims.take(self.key, self.sequencer, instead_of=self.instead_of)
        return self._hold

    def risen(self, sequencer: str) -> Attempt:
        """This attempt as one at the newer event ``sequencer``."""
        self.sequencer, self._hold = sequencer, None
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, failure: BaseException | None, _: object) -> None:
        """After a fault or a defect, the next attempt need not wait for the end of the lease."""
        failed = isinstance(failure, Exception) and not isinstance(failure, Superseded)
        if self._hold is None or not failed:
            return
        try:
            self.claims.index.release_lease(self._hold.key, self._hold.token)
        except Unavailable as error:
            log("WARNING", "the claim was not released", key=self.key, detail=error.detail)
