"""Purge flow (docs/explanation/architecture.md) for a batch of messages: clear each key in S3, then invalidate all of
them at once.

A key is purged twice. What is rendered from the old master during the first pass may be stored, or reach the CDN, after
it; by the second pass such a render has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from ...aws.cloudfront import MAX_WILDCARDS, Distribution
from ...aws.erasures import DONE, FAILED, ErasureTable, started_s
from ...aws.sqs import Queue
from ...aws.telemetry import Observer
from ...errors import BadKey, BadUpload, InvalidPath, TooManyInvalidations, Unavailable
from ...key_encoding import encode_key
from ...plan.keys import check_key
from ..backoff import backoff_s
from ..dead_letters import describe_error, failure_attributes
from ..request_metrics import count_failure, count_request
from .messages import CONFIRM, FIRST, SECOND, PurgeMessage, merge_messages, parse_message, purge_message
from .stale_derivatives import PAGE_TIME_S, DerivativePurge

REPEAT_AFTER_S = 60
"""From the first pass to the second: the transform function's timeout, 25 s, and what is on its way to the CDN."""

DEFER_S = 30
"""A wildcard invalidation takes CloudFront some ten seconds to a minute."""

MAX_DEFERRALS = 4 * 24 * 3600 // DEFER_S
"""How often a purge is sent again to wait: for four days, the queue's retention, which each sending begins anew.

The purge function sends to the queue that it consumes, and Lambda's recursive loop detection is off for it
(docs/decisions/0030), so that this is what ends the loop. Then the message goes to the dead letters.
"""

RESERVED_WILDCARDS = 1
"""Left for a person who invalidates by hand."""

CDN_TIME_S = 15.0
"""Time kept for the CDN and the queue after the half in S3."""


type Wildcard = Callable[[str], str]
"""Returns the wildcard path of a key's images in one URL dialect."""


def cdn_paths(key: str, wildcards: Sequence[Wildcard] = ()) -> list[str]:
    """Return the paths that the CDN may cache for ``key``: canonical ones, and those of dialects with ``wildcards``.

    An invalid key has none: the edge refuses its paths, and caches no refusals. Its paths can exceed CloudFront's limit
    of 4,000 characters, so that their invalidation would never succeed.

    Dialects whose paths begin with a signature have no wildcard for one image; their responses have a short maximum
    age instead.
    """
    try:
        encoded = encode_key(check_key(key))
    except BadKey:
        return []
    return [f"/{encoded}/_/*", f"/{encoded}", *(wildcard(key) for wildcard in wildcards)]


@dataclass(frozen=True)
class PurgeConsumer:
    """Consumes the purge queue, ``queue``, and sends itself messages for what is due later.

    A purge that belongs to an erasure is confirmed in ``erasures`` when CloudFront has completed its invalidation.
    ``wildcards`` are those of dialects that may be served.
    """

    purge: DerivativePurge
    distribution: Distribution
    queue: Queue
    dead_letters: Queue
    max_receives: int
    observer: Observer
    erasures: ErasureTable
    wildcards: Sequence[Wildcard] = ()
    repeat_after_s: int = REPEAT_AFTER_S
    defer_s: int = DEFER_S
    clock: Callable[[], float] = time.time

    def run(self, records: Iterable[Mapping[str, Any]], remaining_s: Callable[[], float]) -> list[str]:
        """Work off the ``records`` of an SQS event; the ids of the messages that failed and must come again.

        What only has to wait (for time, or for room at the CDN) is sent anew instead, because each receipt of a message
        brings it nearer to the dead letters. There it gets after ``max_receives`` or :data:`MAX_DEFERRALS`, with its
        cause.
        """
        failed: list[str] = []
        orders = merge_messages(order for record in records if (order := self._read(record, failed)) is not None)
        for _ in orders:
            count_request(self.observer)
        self._record_pending_time(orders)
        for order in orders:
            if order.pass_number == CONFIRM:
                self._try([order], partial(self._confirm, order), failed)
        orders = [order for order in orders if order.pass_number != CONFIRM]
        cleared = [
            order
            for order in orders
            if self._try([order], partial(self._delete_stale, order, remaining_s), failed) is True
        ]
        for order in [order for order in cleared if not cdn_paths(order.key)]:
            cleared.remove(order)
            self._try([order], partial(self._confirm_uncached, order), failed)
        room = self._try(cleared, self._free_slots, failed) if cleared else 0
        if room is None:
            return failed
        invalidated, refused = self._invalidate(cleared[:room], failed)
        for order in invalidated:
            self._try([order], partial(self._schedule_next_pass, order), failed)
        for order in [*refused, *cleared[room:]]:
            self._try([order], partial(self._defer, order), failed)
        return failed

    def _try[T](self, orders: Sequence[PurgeMessage], act: Callable[[], T], failed: list[str]) -> T | None:
        """The result of ``act``; None if it failed, and with it ``orders``."""
        try:
            return act()
        except Exception as error:  # a defect comes again too, and is told of in the end
            for order in orders:
                self._give_up(order, error, failed, at_once=self._exhausted(order))
            return None

    def _exhausted(self, order: PurgeMessage) -> bool:
        return order.receives >= self.max_receives or order.deferrals >= MAX_DEFERRALS

    def _give_up(self, order: PurgeMessage, error: Exception, failed: list[str], *, at_once: bool) -> None:
        """Send ``order`` to the dead letters, or have it come again if that fails or is not due yet."""
        self._record_failure(error)
        if at_once and self._send_to_dlq(order.document, error, order.receives, order.redriven):
            self._fail_erasure(order)
            return
        failed += order.message_ids
        self._delay_retry(order, error)

    def _fail_erasure(self, order: PurgeMessage) -> None:
        """Write that the CDN may keep what was to be erased. A redrive of the dead letter goes on with it."""
        if not order.erasure:
            return
        self.observer.count("ErasuresFailed")
        try:
            self.erasures.set_cdn(order.key, order.erasure, FAILED, order.invalidation)
        except Unavailable as unavailable:
            self.observer.log("ERROR", "erasure state not written", detail=unavailable.detail)

    def _record_failure(self, error: Exception) -> None:
        count_failure(self.observer, error)
        self.observer.record_error(error)

    def _read(self, record: Mapping[str, Any], failed: list[str]) -> PurgeMessage | None:
        """The order in ``record``; one that cannot be read is given up at once."""
        try:
            return parse_message(record)
        except BadUpload as error:
            count_request(self.observer)
            self._record_failure(error)
            if not self._send_to_dlq(record["body"], error, 1):
                failed.append(record["messageId"])
            return None

    def _send_to_dlq(
        self, message: dict[str, object] | str, error: Exception, attempts: int, redriven: str = ""
    ) -> bool:
        """Give a message up; whether that went well. If not it comes again, and is SQS's to give up."""
        words = failure_attributes(error, attempts=attempts, trace_id=self.observer.trace_id(), redriven=redriven)
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

    def _delete_stale(self, order: PurgeMessage, remaining_s: Callable[[], float]) -> bool:
        """The half in S3; whether it is complete. What is not is put back. Raises Unavailable."""
        if remaining_s() < PAGE_TIME_S + CDN_TIME_S:
            self._defer(order)
            return False
        done = self.purge.delete_stale(order.key, lambda: remaining_s() - CDN_TIME_S, order.position)
        self.observer.log(
            "INFO", "purged", key=order.key, number=order.pass_number, deleted=done.deleted, kept=done.kept
        )
        self.observer.count("DerivativesPurged", done.deleted)
        if done.complete:
            return True
        if done.position is None:
            raise Unavailable(detail="a master that does not rest, or no time for one page of derivatives")
        self._defer(replace(order, position=done.position))
        return False

    def _free_slots(self) -> int:
        """How many orders the CDN has room for. Raises Unavailable."""
        free = MAX_WILDCARDS - RESERVED_WILDCARDS - self.distribution.count_wildcards_in_progress()
        return max(free, 0) // (1 + len(self.wildcards))

    def _invalidate(
        self, orders: Sequence[PurgeMessage], failed: list[str]
    ) -> tuple[list[PurgeMessage], list[PurgeMessage]]:
        """Invalidate ``orders`` in one request; those that are, and those that the CDN has no room for.

        One path that CloudFront refuses fails the whole request. Then both halves are tried by themselves, until the
        order with that path is alone: it goes to the dead letters, since it would fail as often as it is tried.
        """
        if not orders:
            return [], []
        paths = [path for order in orders for path in cdn_paths(order.key, self.wildcards)]
        try:
            invalidation = self.distribution.invalidate(paths, _caller_reference(orders))
        except TooManyInvalidations:  # another client has used the room meanwhile
            return [], list(orders)
        except InvalidPath as error:
            if len(orders) == 1:
                self._give_up(orders[0], error, failed, at_once=True)
                return [], []
            middle = len(orders) // 2
            first, second = (self._invalidate(half, failed) for half in (orders[:middle], orders[middle:]))
            return first[0] + second[0], first[1] + second[1]
        except Exception as error:
            for order in orders:
                self._give_up(order, error, failed, at_once=self._exhausted(order))
            return [], []
        self.observer.log("INFO", "invalidated", keys=[order.key for order in orders], invalidation=invalidation)
        return [replace(order, invalidation=invalidation) for order in orders], []

    def _schedule_next_pass(self, order: PurgeMessage) -> None:
        if order.pass_number == FIRST:
            message = purge_message(order.key, SECOND, erasure=order.erasure)
            self.queue.send(message, delay_s=self.repeat_after_s)
        elif order.erasure:
            message = purge_message(order.key, CONFIRM, erasure=order.erasure, invalidation=order.invalidation)
            self.queue.send(message, delay_s=self.defer_s)

    def _confirm(self, order: PurgeMessage) -> None:
        """Complete an erasure, if CloudFront has completed its last invalidation."""
        if not self.distribution.is_complete(order.invalidation):
            self._defer(order)
        elif self.erasures.set_cdn(order.key, order.erasure, DONE, order.invalidation):
            self.observer.log("INFO", "CDN erased", key=order.key, invalidation=order.invalidation)
            self.observer.count("ErasuresConfirmed")

    def _confirm_uncached(self, order: PurgeMessage) -> None:
        """Complete an erasure of a key that the CDN cannot hold, and a purge by its first pass."""
        if order.erasure and self.erasures.set_cdn(order.key, order.erasure, DONE):
            self.observer.count("ErasuresConfirmed")

    def _record_pending_time(self, orders: Iterable[PurgeMessage]) -> None:
        """Record for how long the oldest erasure of a batch has been waiting for the CDN."""
        started = [started_s(order.erasure) for order in orders if order.erasure]
        if started:
            self.observer.count("ErasurePendingSeconds", max(0.0, self.clock() - min(started)), "Seconds")

    def _defer(self, order: PurgeMessage) -> None:
        """Send ``order`` again to wait. Raises Unavailable, also if it has waited as often as it may."""
        if order.deferrals >= MAX_DEFERRALS:
            raise Unavailable(detail=f"deferred {order.deferrals} times")
        self.queue.send(order.deferred_document, delay_s=self.defer_s)
        self.observer.count("PurgesPutBack")

    def _delay_retry(self, order: PurgeMessage, error: Exception) -> None:
        """Let an order that failed wait."""
        code, cause = describe_error(error)
        self.observer.log("ERROR", "not purged", key=order.key, code=code, cause=cause, receives=order.receives)
        for handle in order.receipt_handles:
            try:
                self.queue.set_visibility_timeout(handle, backoff_s(order.receives))
            except Unavailable as unavailable:  # then it comes again after the queue's visibility timeout
                self.observer.log("WARNING", "not hidden", key=order.key, detail=unavailable.detail)


def _caller_reference(orders: Iterable[PurgeMessage]) -> str:
    """The same messages are the same invalidation, so that a retry does not pay twice."""
    ids = sorted(message_id for order in orders for message_id in order.message_ids)
    return "purge-" + sha256("\n".join(ids).encode()).hexdigest()
