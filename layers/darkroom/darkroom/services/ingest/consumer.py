"""The consumer of the ingest queue and of the review queue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from ...aws.dead_letter_queue import REDRIVEN
from ...aws.sqs import Queue
from ...errors import BadUpload, Busy, SceneFailed
from .. import queue_consumer
from ..dead_letters import failure_attributes
from ..sqs_message import POSTPONED, SqsMessage
from .context import IngestContext, IngestOutcome
from .events import DECISIONS, build_repair_message, read_event
from .handler import handle_event

MAX_POSTPONEMENTS = 100
"""Of one message: a day at most. One lease of a large image takes 20 of them; a longer claim is stuck.

Ingest sends to the queue that it consumes, and Lambda's recursive loop detection is off for it (docs/decisions/0030):
this ends the loop. Then the message fails, and is sent to the DLQ.
"""


@dataclass(frozen=True)
class IngestConsumer(queue_consumer.QueueConsumer):
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
        attributes = failure_attributes(
            error, attempts=message.receives, trace_id=self.observer.trace_id(), redriven=message.redriven
        )
        self.observer.log("ERROR", "message sent to DLQ", code=error.code, cause=error.detail, body=message.body)
        self.dead_letters.send_text(json.dumps(build_repair_message(key)), attributes=attributes)
        self.observer.count("GivenUp", reason=error.code)
        self.observer.record_error(error)

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
