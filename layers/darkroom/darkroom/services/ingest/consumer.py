"""From queue messages to the service."""

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
from .events import DECISIONS, build_repair_message, read_event
from .service import Ingest, IngestOutcome

MAX_POSTPONEMENTS = 100
"""Of one message: a day at most, where one lease of a scene takes 20 of them. What holds a claim for longer is stuck.

Ingest sends to the queue that it consumes, and Lambda's recursive loop detection is off for it (docs/decisions/0030):
this ends the loop. Then the message fails, and becomes a dead letter.
"""


@dataclass(frozen=True)
class IngestConsumer(queue_consumer.QueueConsumer):
    """The queue of changes, or the review queue. ``spare_s``: a large upload takes as long.

    ``decides``: messages are decisions of people about held images. Functions and services can send to the queue of
    changes, and only operators to the review queue: a decision in the former, or a change in the latter, is refused.
    """

    work: ClassVar[str] = "change"
    min_remaining_s: ClassVar[float] = 30.0

    ingest: Ingest
    queue: Queue
    decides: bool = False

    def handle(self, message: SqsMessage) -> None:
        """Take in the change that ``message`` tells of; raises BadUpload, or what the service raises but Busy."""
        change = read_event(message.body)
        if change is not None and (change.kind in DECISIONS) is not self.decides:
            raise BadUpload(f"{change.kind} messages are not accepted from this queue", field="detail-type")
        self.observer.add_metadata("key", change.key if change else "")
        try:
            outcome = self.ingest.handle(change) if change else IngestOutcome.DROPPED
        except Busy as error:
            if self.decides:
                raise  # the function may not send to this queue; the message comes again
            self._postpone(message, error)
            return
        except SceneFailed as error:
            self._give_up(message, error)
            return
        self.log_handled(message, outcome, kind=change.kind if change else "", key=change.key if change else "")

    def _give_up(self, message: SqsMessage, error: SceneFailed) -> None:
        """It has been tried often enough. Whoever sends the letter back has the upload looked at from the start."""
        key = json.loads(message.body)["detail"]["object"]["key"]
        words = failure_attributes(
            error, attempts=message.receives, trace_id=self.observer.trace_id(), redriven=message.redriven
        )
        self.observer.log("ERROR", "given up", code=error.code, cause=error.detail, body=message.body)
        self.dead_letters.send_text(json.dumps(build_repair_message(key)), attributes=words)
        self.observer.count("GivenUp", reason=error.code)
        self.observer.record_error(error)

    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Let ``message`` wait in its queue."""
        self.queue.set_visibility_timeout(message.receipt_handle, seconds)

    def _postpone(self, message: SqsMessage, error: Busy) -> None:
        """Another attempt holds the claim. Waiting for it is no failure, so it does not count as one.

        Raises ``error`` after :data:`MAX_POSTPONEMENTS`: then it counts as one.
        """
        if message.postponed >= MAX_POSTPONEMENTS:
            raise error
        self.observer.log("INFO", error.message, detail=error.detail, retry_in_s=error.retry_in_s)
        marked = {POSTPONED: str(message.postponed + 1)}
        marked |= {REDRIVEN: message.redriven} if message.redriven else {}
        self.queue.send(json.loads(message.body), delay_s=min(900, int(error.retry_in_s) + 1), attributes=marked)
