"""Purge flow (docs/architecture.md) for a batch of messages: clear each key in S3, then invalidate all of them at once.

A key is purged twice. What is rendered from the old master during the first pass may be stored, or reach the CDN, after
it; by the second pass such a render has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from ..aws.cdn import MAX_WILDCARDS, Cdn
from ..aws.observer import Observer
from ..aws.queues import Queue
from ..errors import BadUpload, TooManyInvalidations, Unavailable
from ..plan.keys import quote_key
from .backoff import backoff_s
from .dead_letters import last_words, told
from .figures import attempted, failed
from .languages.table import IIIF, spelled
from .purge import SPARE_S, Purge
from .purge_orders import FIRST, SECOND, Order, merged, purge_message, read_order

REPEAT_AFTER_S = 60
"""From the first pass to the second: the transform function's timeout, 25 s, and what is on its way to the CDN."""

PUT_BACK_FOR_S = 30
"""A wildcard invalidation takes CloudFront some ten seconds to a minute."""

SPARE_WILDCARDS = 1
"""Left for a person who invalidates by hand."""

CDN_S = 15.0
"""Time kept for the CDN and the queue after the half in S3."""


def invalidated_paths(key: str, *, iiif: bool = False) -> list[str]:
    """What the CDN may hold of ``key``, in the spelling of canonical paths, and of IIIF if that is served.

    Answers in other services' languages are kept for a short time instead: where a signature stands first in a path, no
    prefix is that of one picture.
    """
    quoted = quote_key(key)
    ours = [f"/{quoted}/_/*", f"/{quoted}"]
    return [*ours, spelled(f"{IIIF.prefix}/{quoted.replace('/', '%2F')}/") + "*"] if iiif else ours


@dataclass(frozen=True)
class Purging:
    """The service behind the purge queue. ``queue`` is that queue: it sends itself what is to be done later.

    ``iiif``: whether pictures are served by IIIF's API too.
    """

    purge: Purge
    cdn: Cdn
    queue: Queue
    dead_letters: Queue
    max_receives: int
    observer: Observer
    iiif: bool = False
    repeat_after_s: int = REPEAT_AFTER_S
    put_back_for_s: int = PUT_BACK_FOR_S

    def run(self, records: Iterable[Mapping[str, Any]], remaining_s: Callable[[], float]) -> list[str]:
        """Work off the ``records`` of an SQS event; the ids of the messages that failed and must come again.

        What only has to wait (for time, or for room at the CDN) is sent anew instead, because each receipt of a message
        brings it nearer to the dead letters. There it gets after ``max_receives``, with its cause.
        """
        failed: list[str] = []
        orders = merged(order for record in records if (order := self._read(record, failed)) is not None)
        for _ in orders:
            attempted(self.observer)
        cleared = [
            order for order in orders if self._try([order], partial(self._clear, order, remaining_s), failed) is True
        ]
        invalidated = self._try(cleared, partial(self._invalidate, cleared), failed)
        if invalidated is None:
            return failed
        for order in cleared:
            follow = self._repeat if order in invalidated else self._put_back
            self._try([order], partial(follow, order), failed)
        return failed

    def _try[T](self, orders: Sequence[Order], act: Callable[[], T], failed: list[str]) -> T | None:
        """The result of ``act``; None if it failed, and with it ``orders``."""
        try:
            return act()
        except Exception as error:  # a defect comes again too, and is told of in the end
            for order in orders:
                self._fault(error)
                if order.receives < self.max_receives or not self._bury(
                    order.message, error, order.receives, order.redriven
                ):
                    failed += order.message_ids
                    self._hide(order, error)
            return None

    def _fault(self, error: Exception) -> None:
        failed(self.observer, error)
        self.observer.fail(error)

    def _read(self, record: Mapping[str, Any], failed: list[str]) -> Order | None:
        """The order in ``record``; one that cannot be read is given up at once."""
        try:
            return read_order(record)
        except BadUpload as error:
            attempted(self.observer)
            self._fault(error)
            if not self._bury(record["body"], error, 1):
                failed.append(record["messageId"])
            return None

    def _bury(self, message: dict[str, object] | str, error: Exception, attempts: int, redriven: str = "") -> bool:
        """Give a message up; whether that went well. If not it comes again, and is SQS's to give up."""
        words = last_words(error, attempts=attempts, trace_id=self.observer.trace_id(), redriven=redriven)
        self.observer.log("ERROR", "given up", purge=message, **words)
        try:
            if isinstance(message, str):
                self.dead_letters.send_text(message, attributes=words)
            else:
                self.dead_letters.send(message, attributes=words)
        except Unavailable as unavailable:
            self.observer.log("ERROR", "not even given up", detail=unavailable.detail)
            return False
        self.observer.count("GivenUp", reason=words["code"])
        return True

    def _clear(self, order: Order, remaining_s: Callable[[], float]) -> bool:
        """The half in S3; whether it is complete. What is not is put back. Raises Unavailable."""
        if remaining_s() < SPARE_S + CDN_S:
            self._put_back(order)
            return False
        done = self.purge.clear(order.key, lambda: remaining_s() - CDN_S, order.place)
        self.observer.log("INFO", "purged", key=order.key, number=order.number, deleted=done.deleted, kept=done.kept)
        self.observer.count("DerivativesPurged", done.deleted)
        if done.complete:
            return True
        if done.place is None:
            raise Unavailable(detail="a master that does not rest, or no time for one page of derivatives")
        self._put_back(replace(order, place=done.place))
        return False

    def _invalidate(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Invalidate as many ``orders`` as the CDN has room for; returns them. Raises Unavailable."""
        if not orders:
            return []
        room = MAX_WILDCARDS - SPARE_WILDCARDS - self.cdn.wildcards_in_flight()
        taken = orders[: max(room, 0) // (2 if self.iiif else 1)]
        if not taken:
            return []
        try:
            invalidation = self.cdn.invalidate(
                [path for one in taken for path in invalidated_paths(one.key, iiif=self.iiif)], _name(taken)
            )
        except TooManyInvalidations:  # somebody else has filled the room meanwhile
            return []
        self.observer.log("INFO", "invalidated", keys=[order.key for order in taken], invalidation=invalidation)
        return taken

    def _repeat(self, order: Order) -> None:
        if order.number == FIRST:
            self.queue.send(purge_message(order.key, SECOND), delay_s=self.repeat_after_s)

    def _put_back(self, order: Order) -> None:
        self.queue.send(order.message, delay_s=self.put_back_for_s)
        self.observer.count("PurgesPutBack")

    def _hide(self, order: Order, error: Exception) -> None:
        """Let an order that failed wait."""
        code, cause = told(error)
        self.observer.log("ERROR", "not purged", key=order.key, code=code, cause=cause, receives=order.receives)
        for handle in order.receipt_handles:
            try:
                self.queue.hide(handle, backoff_s(order.receives))
            except Unavailable as unavailable:  # then it comes again after the queue's visibility timeout
                self.observer.log("WARNING", "not hidden", key=order.key, detail=unavailable.detail)


def _name(orders: Iterable[Order]) -> str:
    """The same messages are the same invalidation, so that a retry does not pay twice."""
    ids = sorted(message_id for order in orders for message_id in order.message_ids)
    return "purge-" + sha256("\n".join(ids).encode()).hexdigest()
