"""Purge flow (docs/explanation/architecture.md) for a batch of messages: delete stale derivatives in S3, then
invalidate all keys in one request.

A key is purged twice: a render from the old master may be stored, or reach the CDN, after the first pass; by the second
one it has ended.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any

from darkroom.aws.telemetry import Observer
from darkroom.errors import BadKey, BadUpload, InvalidPath, TooManyInvalidations, Unavailable
from darkroom.image_keys import check_key, encode_key
from darkroom.services.request_metrics import count_failure, count_request

from ...aws.cloudfront import MAX_WILDCARDS, Distribution
from ...aws.erasures import DONE, FAILED, ErasureTable, started_s
from ...aws.sqs import Queue
from ..queue_consumer import backoff_s, describe_error, failure_attributes
from .source_events import SourceChange, read_changes
from .stale_derivatives import (
    CONFIRM,
    FIRST,
    PAGE_TIME_S,
    SECOND,
    DerivativePurge,
    PurgeMessage,
    first_pass,
    merge_messages,
    parse_message,
    purge_message,
)

REPEAT_AFTER_S = 60
"""Time between the passes: the transform function's timeout of 25 s, which includes its PUT after the response, and
responses on their way to the CDN."""

DEFER_S = 30
"""Delay of a deferred message: CloudFront completes a wildcard invalidation in ten seconds to a minute."""

MAX_DEFERRALS = 4 * 24 * 3600 // DEFER_S
"""Maximum of deferrals: four days, the queue's retention, which restarts with each message.

The purge function sends to the queue that it consumes, and Lambda's recursive loop detection is off for it
(decision 30), so this limit ends the loop. Then the message is sent to the DLQ.
"""

RESERVED_WILDCARDS = 1
"""Wildcards reserved for manual invalidations."""

BULK_MESSAGES = 3_000
"""Waiting messages from which the whole CDN is invalidated from time to time, and not each key.

Three thousand keys cost $60 in invalidations and take some three hours at CloudFront's limit. A copy of a million
objects into a source bucket would cost $20,000 and never end.
"""

BULK_PERIOD_S = 600
"""Time between invalidations of the whole CDN. With REPEAT_AFTER_S it is less than SQS's maximum delay of 900 s."""

CDN_TIME_S = 15.0
"""Time reserved for the CDN and the queue after the S3 part."""


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


@dataclass(frozen=True, slots=True)
class _Classes:
    """Messages whose S3 part is complete, by what completes them.

    ``uncached``: nothing, the CDN cannot cache their keys. ``bulk``: an invalidation of the whole CDN. ``single``: one
    of their keys' paths. Erasures are never in bulk: they confirm an invalidation of their own.
    """

    uncached: list[PurgeMessage] = field(default_factory=list)
    bulk: list[PurgeMessage] = field(default_factory=list)
    single: list[PurgeMessage] = field(default_factory=list)


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
    bulk_messages: int = BULK_MESSAGES
    clock: Callable[[], float] = time.time

    def run(self, records: Iterable[Mapping[str, Any]], remaining_s: Callable[[], float]) -> list[str]:
        """Process the ``records`` of an SQS event; return the ids of the messages that failed and are retried.

        A message that has to wait, for time or for the CDN's limit, is deferred: it is sent again, because each receive
        counts towards the DLQ. It is sent there after ``max_receives`` or :data:`MAX_DEFERRALS`, with its cause.
        """
        failed: list[str] = []
        messages = merge_messages(message for record in records for message in self._read(record, failed))
        self._record_batch(messages)
        self._each([message for message in messages if message.pass_number == CONFIRM], self._confirm, failed)
        passes = [message for message in messages if message.pass_number != CONFIRM]
        classes = self._classify(self._clear(passes, remaining_s, failed), failed)
        self._each(classes.uncached, self._complete_uncached, failed)
        self._purge_in_bulk(classes.bulk, failed)
        self._purge_singly(classes.single, failed)
        return failed

    def _clear(
        self, messages: Iterable[PurgeMessage], remaining_s: Callable[[], float], failed: list[str]
    ) -> list[PurgeMessage]:
        """Run the S3 part of ``messages``; return those for which it is complete."""
        return [
            message
            for message in messages
            if self._try([message], partial(self._delete_stale, message, remaining_s), failed) is True
        ]

    def _classify(self, cleared: Iterable[PurgeMessage], failed: list[str]) -> _Classes:
        """Classify messages whose S3 part is complete. Cacheable ones fail if the queue's length cannot be read."""
        classes, cached = _Classes(), list[PurgeMessage]()
        for message in cleared:
            (cached if cdn_paths(message.key) else classes.uncached).append(message)
        is_burst = self._try(cached, self._is_burst, failed) if cached else None
        if is_burst is None:
            return classes
        for message in cached:
            in_bulk = not message.erasure and (is_burst or message.bulk_s)
            (classes.bulk if in_bulk else classes.single).append(message)
        return classes

    def _is_burst(self) -> bool:
        return self.queue.count_waiting() >= self.bulk_messages

    def _each(self, messages: Iterable[PurgeMessage], act: Callable[[PurgeMessage], None], failed: list[str]) -> None:
        """Apply ``act`` to each message. One that fails does not affect the others."""
        for message in messages:
            self._try([message], partial(act, message), failed)

    def _try[T](self, messages: Sequence[PurgeMessage], act: Callable[[], T], failed: list[str]) -> T | None:
        """Return the result of ``act``; None if it failed, and with it ``messages``."""
        try:
            return act()
        except Exception as error:  # a defect is retried too, and ends in the DLQ
            for message in messages:
                self._give_up(message, error, failed, at_once=self._exhausted(message))
            return None

    def _exhausted(self, message: PurgeMessage) -> bool:
        return message.receives >= self.max_receives or message.deferrals >= MAX_DEFERRALS

    def _give_up(self, message: PurgeMessage, error: Exception, failed: list[str], *, at_once: bool) -> None:
        """Send ``message`` to the DLQ, or retry it if that fails or is not due yet."""
        self._record_failure(error)
        if at_once and self._send_to_dlq(message.to_document(), error, message.receives, message.redriven):
            self._fail_erasure(message)
            return
        failed += message.message_ids
        self._delay_retry(message, error)

    def _fail_erasure(self, message: PurgeMessage) -> None:
        """Mark the CDN half of the erasure as failed. A redrive of the DLQ message continues it."""
        if not message.erasure:
            return
        self.observer.count("ErasuresFailed")
        try:
            self.erasures.set_cdn(message.key, message.erasure, FAILED, message.invalidation)
        except Unavailable as unavailable:
            self.observer.log("ERROR", "erasure state not written", detail=unavailable.detail)

    def _record_failure(self, error: Exception) -> None:
        count_failure(self.observer, error)
        self.observer.record_error(error)

    def _read(self, record: Mapping[str, Any], failed: list[str]) -> list[PurgeMessage]:
        """Parse ``record``, a purge or an event of the source; a malformed message is sent to the DLQ at once."""
        try:
            changes = read_changes(record["body"])
            if changes is None:
                return [parse_message(record)]
            return [first_pass(record, key) for change in changes if (key := self._find_key(change))]
        except BadUpload as error:
            count_request(self.observer)
            self._record_failure(error)
            if not self._send_to_dlq(record["body"], error, 1):
                failed.append(record["messageId"])
            return []

    def _find_key(self, change: SourceChange) -> str:
        """Return the key of a changed master, "" for an object that is none: it has no derivatives."""
        names, key = self.purge.source_names, ""
        if change.bucket == self.purge.source.bucket and change.name.startswith(names.prefix):
            with suppress(BadKey):
                key = check_key(names.key(change.name))
        event = {"bucket": change.bucket, "name": change.name, "sequencer": change.sequencer}
        self.observer.log("INFO", "source changed", key=key, **event)
        return key

    def _send_to_dlq(self, body: dict[str, object] | str, error: Exception, attempts: int, redriven: str = "") -> bool:
        """Send a message to the DLQ; return whether that succeeded. Otherwise it is retried, and SQS moves it."""
        attributes = failure_attributes(error, attempts=attempts, trace_id=self.observer.trace_id(), redriven=redriven)
        self.observer.log("ERROR", "message sent to DLQ", purge=body, **attributes)
        try:
            if isinstance(body, str):
                self.dead_letters.send_text(body, attributes=attributes)
            else:
                self.dead_letters.send(body, attributes=attributes)
        except Unavailable as unavailable:
            self.observer.log("ERROR", "DLQ send failed", detail=unavailable.detail)
            return False
        self.observer.count("GivenUp", reason=attributes["code"])
        return True

    def _delete_stale(self, message: PurgeMessage, remaining_s: Callable[[], float]) -> bool:
        """Run the S3 part unless the sender has; return whether it is complete. The rest is deferred.

        Raises Unavailable.
        """
        if message.cleared:
            return True
        if remaining_s() < PAGE_TIME_S + CDN_TIME_S:
            self._defer(message)
            return False
        done = self.purge.delete_stale(message.key, lambda: remaining_s() - CDN_TIME_S, message.position)
        self.observer.log(
            "INFO",
            "derivatives purged",
            key=message.key,
            number=message.pass_number,
            deleted=done.deleted,
            kept=done.kept,
        )
        self.observer.count("DerivativesPurged", done.deleted)
        if done.complete:
            return True
        if done.position is None:
            raise Unavailable(detail="the master keeps changing, or there is no time for one page of derivatives")
        self._defer(replace(message, position=done.position))
        return False

    def _purge_singly(self, messages: Sequence[PurgeMessage], failed: list[str]) -> None:
        """Invalidate the paths of as many ``messages`` as the CDN's limit allows; defer the others."""
        room = self._try(messages, self._free_slots, failed) if messages else None
        if room is None:
            return
        invalidated, refused = self._invalidate(messages[:room], failed)
        self._each(invalidated, self._schedule_next_pass, failed)
        self._each([*refused, *messages[room:]], self._defer, failed)

    def _free_slots(self) -> int:
        """Return how many messages the CDN's limit of wildcards allows. Raises Unavailable."""
        free = MAX_WILDCARDS - RESERVED_WILDCARDS - self.distribution.count_wildcards_in_progress()
        return max(free, 0) // (1 + len(self.wildcards))

    def _invalidate(
        self, messages: Sequence[PurgeMessage], failed: list[str]
    ) -> tuple[list[PurgeMessage], list[PurgeMessage]]:
        """Invalidate ``messages`` in one request; return the invalidated ones, and those beyond the CDN's limit.

        A path that CloudFront refuses fails the whole request. Then both halves are tried separately, until the message
        with that path is alone: it is sent to the DLQ, because a retry would fail too.
        """
        if not messages:
            return [], []
        paths = [path for message in messages for path in cdn_paths(message.key, self.wildcards)]
        try:
            invalidation = self.distribution.invalidate(paths, _caller_reference(messages))
        except TooManyInvalidations:  # another client has reached the limit meanwhile
            return [], list(messages)
        except InvalidPath as error:
            if len(messages) == 1:
                self._give_up(messages[0], error, failed, at_once=True)
                return [], []
            middle = len(messages) // 2
            first, second = (self._invalidate(half, failed) for half in (messages[:middle], messages[middle:]))
            return first[0] + second[0], first[1] + second[1]
        except Exception as error:
            for message in messages:
                self._give_up(message, error, failed, at_once=self._exhausted(message))
            return [], []
        self.observer.log(
            "INFO", "CDN invalidated", keys=[message.key for message in messages], invalidation=invalidation
        )
        return [replace(message, invalidation=invalidation) for message in messages], []

    def _purge_in_bulk(self, messages: Sequence[PurgeMessage], failed: list[str]) -> None:
        """Complete ``messages`` by an invalidation of the whole CDN, one for all batches of a period.

        A message waits for the first period that begins when renders from its old master have ended.
        """
        now_s = self.clock()
        period_s = int(now_s // BULK_PERIOD_S) * BULK_PERIOD_S
        due = [message for message in messages if 0 < message.bulk_s <= period_s]
        waiting = [message for message in messages if message not in due]
        self._each(waiting, partial(self._await_period, now_s=now_s), failed)
        if due:
            self._try(due, partial(self._invalidate_all, due, period_s, failed), failed)

    def _invalidate_all(self, messages: Sequence[PurgeMessage], period_s: int, failed: list[str]) -> None:
        try:
            invalidation = self.distribution.invalidate(["/*"], f"purge-all-{period_s}")
        except TooManyInvalidations:
            self._each(messages, self._defer, failed)
            return
        self.observer.log("INFO", "whole CDN invalidated", keys=len(messages), invalidation=invalidation)

    def _await_period(self, message: PurgeMessage, now_s: float) -> None:
        """Send the second pass of ``message`` for the first period that begins after :data:`REPEAT_AFTER_S`."""
        if message.deferrals >= MAX_DEFERRALS:
            raise Unavailable(detail=f"deferred {message.deferrals} times")
        bulk_s = int((now_s + self.repeat_after_s) // BULK_PERIOD_S + 1) * BULK_PERIOD_S
        second = replace(message, pass_number=SECOND, position=None, bulk_s=bulk_s, cleared=False)
        self.queue.send(second.to_document(message.deferrals + 1), delay_s=math.ceil(bulk_s - now_s))

    def _schedule_next_pass(self, message: PurgeMessage) -> None:
        if message.pass_number == FIRST:
            second = purge_message(message.key, SECOND, erasure=message.erasure)
            self.queue.send(second, delay_s=self.repeat_after_s)
        elif message.erasure:
            confirm = purge_message(message.key, CONFIRM, erasure=message.erasure, invalidation=message.invalidation)
            self.queue.send(confirm, delay_s=self.defer_s)

    def _confirm(self, message: PurgeMessage) -> None:
        """Complete an erasure if CloudFront has completed its last invalidation."""
        if not self.distribution.is_complete(message.invalidation):
            self._defer(message)
        elif self.erasures.set_cdn(message.key, message.erasure, DONE, message.invalidation):
            self.observer.log("INFO", "CDN erasure confirmed", key=message.key, invalidation=message.invalidation)
            self.observer.count("ErasuresConfirmed")

    def _complete_uncached(self, message: PurgeMessage) -> None:
        """Complete an erasure of a key that the CDN cannot cache, and a purge by its first pass."""
        if message.erasure and self.erasures.set_cdn(message.key, message.erasure, DONE):
            self.observer.count("ErasuresConfirmed")

    def _record_batch(self, messages: Sequence[PurgeMessage]) -> None:
        """Count the messages, and record how long their oldest erasure has been waiting for the CDN."""
        for _ in messages:
            count_request(self.observer)
        started = [started_s(message.erasure) for message in messages if message.erasure]
        if started:
            self.observer.count("ErasurePendingSeconds", max(0.0, self.clock() - min(started)), "Seconds")

    def _defer(self, message: PurgeMessage) -> None:
        """Send ``message`` again with a delay. Raises Unavailable, also after :data:`MAX_DEFERRALS`."""
        if message.deferrals >= MAX_DEFERRALS:
            raise Unavailable(detail=f"deferred {message.deferrals} times")
        self.queue.send(message.to_document(message.deferrals + 1), delay_s=self.defer_s)
        self.observer.count("PurgesDeferred")

    def _delay_retry(self, message: PurgeMessage, error: Exception) -> None:
        """Delay the retry of a message that failed."""
        code, cause = describe_error(error)
        self.observer.log("ERROR", "purge failed", key=message.key, code=code, cause=cause, receives=message.receives)
        for handle in message.receipt_handles:
            try:
                self.queue.set_visibility_timeout(handle, backoff_s(message.receives))
            except Unavailable as unavailable:  # then it is retried after the queue's visibility timeout
                self.observer.log("WARNING", "retry not delayed", key=message.key, detail=unavailable.detail)


def _caller_reference(messages: Iterable[PurgeMessage]) -> str:
    """Return a reference that is the same for the same messages, so that a retry starts no second invalidation."""
    ids = sorted(message_id for message in messages for message_id in message.message_ids)
    return "purge-" + sha256("\n".join(ids).encode()).hexdigest()
