"""From the messages of two queues to the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...aws.sqs import Queue
from .. import queue_consumer
from ..sqs_message import SqsMessage
from .analysis import AnalysisOutcome, AnalysisService
from .messages import parse_request


@dataclass(frozen=True)
class InferenceConsumer(queue_consumer.QueueConsumer):
    """The ``queues`` by their names, with one queue of dead letters. ``spare_s``: three tries and the fallback."""

    work: ClassVar[str] = "infer"
    min_remaining_s: ClassVar[float] = 60.0

    service: AnalysisService
    queues: Mapping[str, Queue]

    def handle(self, message: SqsMessage) -> None:
        """Look at the picture that ``message`` names; raises BadUpload, or what the service raises."""
        request = parse_request(message.body)
        self.observer.add_metadata("key", request.key if request else "")
        outcome = self.service.handle(request) if request else AnalysisOutcome.DROPPED
        self.log_handled(
            message,
            outcome,
            kind=request.kind if request else "",
            key=request.key if request else "",
            attempt=request.attempt if request else 0,
        )

    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Let ``message`` wait. One of a queue that we do not know waits for that queue's own time."""
        if message.queue in self.queues:
            self.queues[message.queue].set_visibility_timeout(message.receipt_handle, seconds)
