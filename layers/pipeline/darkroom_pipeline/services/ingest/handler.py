"""The consumer of ingest's queues, and the steps from an event to a finished, announced state.

An event is idempotent: what a killed worker left is done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

from darkroom.errors import BadUpload, Busy, ObjectChanged, SceneFailed
from darkroom.services.request_metrics import count_latency

from ...aws.record import CLAIMED, HELD, REFUSED, REMOVED, Record, was_finished, with_image_id
from ...aws.sqs import REDRIVEN, Queue
from ..queue_consumer import POSTPONED, QueueConsumer, SqsMessage
from .admit import ingest_upload
from .claims import REPAIR_DELAY_S, EventAttempt, Superseded
from .context import IngestContext, IngestOutcome
from .events import DECISIONS, EventKind, IngestEvent, build_repair_message, read_event
from .finish import announce, finish, publish_event
from .publish import claim, remove_held_master, remove_master, unpublish

TOMBSTONE_S = 35 * 86_400
"""How long a deletion is recorded: longer than a message stays in the queue and its DLQ, 14 days each."""


MAX_POSTPONEMENTS = 100
"""Of one message: a day at most. One lease of a large image takes 20 of them; a longer claim is stuck.

Ingest sends to the queue that it consumes, and Lambda's recursive loop detection is off for it (decision 30):
this ends the loop. Then the message fails, and is sent to the DLQ.
"""


@dataclass(frozen=True)
class IngestConsumer(QueueConsumer):
    """The consumer of one queue. ``min_remaining_s``: time that a large upload takes.

    ``decides``: this is the review queue, with decisions of operators about held uploads. Functions and services can
    send to the ingest queue, only operators to the review queue: a message in the wrong queue is refused.
    """

    work: ClassVar[str] = "change"
    min_remaining_s: ClassVar[float] = 30.0

    context: IngestContext
    queue: Queue
    decides: bool = False

    def handle(self, message: SqsMessage) -> None:
        """Process the event in ``message``; raises BadUpload, or what :func:`handle_event` raises but Busy."""
        event = read_event(message.body)
        if event is not None and (event.kind in DECISIONS) is not self.decides:
            raise BadUpload(f"{event.kind} messages are not accepted from this queue", field="detail-type")
        kind, key = (event.kind.value, event.key) if event else ("", "")
        self.observer.add_metadata("key", key)
        try:
            outcome = handle_event(self.context, event) if event else IngestOutcome.DROPPED
        except Busy as error:
            if self.decides:
                raise  # the function may not send to this queue; the message is received again
            self._postpone(message, error)
            return
        except SceneFailed as error:
            self._give_up(message, error)
            return
        self.log_handled(message, outcome, kind=kind, key=key)

    def _give_up(self, message: SqsMessage, error: SceneFailed) -> None:
        """Send a repair message to the DLQ: a redrive processes the upload from the start."""
        key = json.loads(message.body)["detail"]["object"]["key"]
        self.log_failure(message, error, last=True)
        self.send_to_dlq(message, json.dumps(build_repair_message(key)), error)

    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Hide ``message`` in its queue."""
        self.queue.set_visibility_timeout(message.receipt_handle, seconds)

    def _postpone(self, message: SqsMessage, error: Busy) -> None:
        """Send ``message`` again while another attempt holds the claim, which does not count as a failure.

        Raises ``error`` after :data:`MAX_POSTPONEMENTS`.
        """
        if message.postponed >= MAX_POSTPONEMENTS:
            raise error
        self.observer.log("INFO", error.message, detail=error.detail, retry_in_s=error.retry_in_s)
        marked = {POSTPONED: str(message.postponed + 1)}
        marked |= {REDRIVEN: message.redriven} if message.redriven else {}
        self.queue.send(json.loads(message.body), delay_s=min(900, int(error.retry_in_s) + 1), attributes=marked)


def handle_event(context: IngestContext, event: IngestEvent) -> IngestOutcome:
    """Process ``event``. If this raises, the event must be processed again."""
    try:
        outcome = _dispatch(context, event)
    except Superseded as reason:
        context.claims.request_repair(event.key, wrote=reason.wrote, repairs=event.repairs)
        outcome = IngestOutcome.DROPPED
    context.observer.count("Handled", outcome=outcome)
    if outcome in (IngestOutcome.READY, IngestOutcome.DUPLICATE) and event.happened_at_s:
        waited_s = max(0.0, context.claims.clock() - event.happened_at_s)
        context.observer.count("UploadToReady", waited_s * 1000, "Milliseconds")
        count_latency(context.observer, "ingest", waited_s)
    return outcome


def _dispatch(context: IngestContext, event: IngestEvent) -> IngestOutcome:
    known = context.index.get(event.key)
    match event.kind:
        case EventKind.REPAIR:
            return repair(context, event, known)
        case EventKind.LARGE_IMAGE:
            return _complete_large_image(context, event, known)
        case EventKind.VERDICT | EventKind.RELEASE | EventKind.CONFIRM:
            return _review(context, event, known)
        case EventKind.CREATED | EventKind.DELETED | EventKind.ERASED:
            return _follow(context, event, known)


def _follow(context: IngestContext, event: IngestEvent, known: Record | None) -> IngestOutcome:
    """Process a change of the upload. A deletion that a newer event supersedes may still concern the earlier image."""
    if known is not None and (known.sequencer, known.done) >= (event.sequencer, True):
        return _revisit(context, event, known)
    try:
        return _process_change(context, event, known)
    except Superseded as reason:
        newer = context.index.get(event.key) if event.deletes else None
        if newer is None or newer.sequencer <= event.sequencer:
            raise
        if reason.wrote:
            context.claims.request_repair(event.key, wrote=True, repairs=event.repairs)
        return _revisit(context, event, newer)


def _process_change(context: IngestContext, event: IngestEvent, known: Record | None) -> IngestOutcome:
    """Process the newest change of the upload that is known."""
    with EventAttempt(context.claims, event.key, event.sequencer) as attempt:
        if event.deletes and _is_upload_gone(context, event.key):
            return remove(context, attempt, known)
        outcome = ingest_upload(context, attempt, known)
    if event.deletes and (left := context.index.get(event.key)) is not None:
        _take_down(context, event, left)
    return outcome


def _revisit(context: IngestContext, event: IngestEvent, known: Record) -> IngestOutcome:
    """Complete an event that was processed, or that is older than one that was. Raises Superseded if all is done."""
    if _take_down(context, event, known):
        return IngestOutcome.REMOVED
    if known.sequencer == event.sequencer:
        announce(context, known)
    raise Superseded


def _complete_large_image(context: IngestContext, event: IngestEvent, known: Record | None) -> IngestOutcome:
    if context.open_state_machine is None:
        return IngestOutcome.DROPPED
    from . import large_image  # few uploads are large images

    return large_image.complete(context, event, known)


def _review(context: IngestContext, event: IngestEvent, known: Record | None) -> IngestOutcome:
    if known is None:
        return IngestOutcome.DROPPED
    from .review import carry_out_decision  # few events are decisions

    _require_done(context, event, known)
    with _evaluate_again(context, event):
        return carry_out_decision(context, event, known)


@contextmanager
def _evaluate_again(context: IngestContext, event: IngestEvent) -> Iterator[None]:
    """Have ``event`` evaluated again when it is superseded: what the newer one leaves served may still concern it.

    So too if the master is not that of the index, which is repaired first. Raises Busy.
    """
    try:
        yield
    except Superseded as reason:
        if reason.wrote:
            context.claims.request_repair(event.key, wrote=True, repairs=event.repairs)
        raise Busy(retry_in_s=REPAIR_DELAY_S, detail=f"{event.key}: a newer event is processed") from reason
    except ObjectChanged as reason:
        context.claims.request_repair(event.key, wrote=True, repairs=event.repairs)
        raise Busy(retry_in_s=REPAIR_DELAY_S, detail=reason.detail) from reason


def _require_done(context: IngestContext, event: IngestEvent, known: Record) -> None:
    """Raise Busy while an attempt is in progress. What a dead worker left is done first."""
    if known.done:
        return
    if known.lease_until_s < context.claims.clock():
        repair(context, event, known)
    raise context.claims.build_busy(known)


def _take_down(context: IngestContext, event: IngestEvent, known: Record) -> bool:
    """Remove an earlier image whose upload was deleted, and that is served because a newer upload is not.

    Returns whether there was one. Raises Busy while the newer upload is in progress.
    """
    if known.state not in (CLAIMED, REFUSED, HELD) or not event.deletes_master(known.master):
        return False
    _require_done(context, event, known)
    attempt = EventAttempt(context.claims, known.key, known.sequencer, replaces_token=known.token)
    with _evaluate_again(context, event), attempt:
        lease = claim(context, attempt)
        with context.observer.step("remove"):
            bare = unpublish(context, lease, known)
        publish_event(context, with_image_id(Record(known.key, REMOVED, event.sequencer)))
        finish(context, replace(bare, version_id=known.version_id), silent=known.announced)
    return True


def repair(context: IngestContext, event: IngestEvent, known: Record | None) -> IngestOutcome:
    """Repeat the last event of the index if what is stored is not its result, or if it was not completed."""
    if known is None or (known.done and context.claims.is_consistent(known) and context.derivatives.has_all(known)):
        return IngestOutcome.DROPPED
    if known.lease_until_s > context.claims.clock():
        raise context.claims.build_busy(known)
    done_by = known.token if known.done else ""
    attempt = EventAttempt(context.claims, event.key, known.sequencer, replaces_token=done_by, repairs=event.repairs)
    with attempt:
        gone = not known.done and _is_upload_gone(context, event.key)
        if gone and was_finished(known):  # its upload may have expired since
            from .review import recover  # rarely needed

            recovered = recover(context, attempt, known)
            if recovered is not None:
                return recovered
        if known.state == REMOVED or gone:
            return remove(context, attempt, known)
        return ingest_upload(context, attempt, known)


def remove(context: IngestContext, attempt: EventAttempt, known: Record | None) -> IngestOutcome:
    """Delete the master and its derivatives, and record the deletion for :data:`TOMBSTONE_S`."""
    lease = claim(context, attempt)
    with context.observer.step("remove"):
        gone = known is None or known.state == REMOVED
        remove_held_master(context, lease, known)
        removed = remove_master(context, lease, purge=not gone)
    expires_at_s = int(context.claims.clock()) + TOMBSTONE_S
    finish(context, lease.build_record(REMOVED, expires_at_s=expires_at_s), silent=gone and not removed)
    return IngestOutcome.REMOVED


def _is_upload_gone(context: IngestContext, key: str) -> bool:
    return context.uploads.head(key) is None
