"""From queue messages to the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...aws.sqs import Queue
from .. import queue_consumer
from ..sqs_message import SqsMessage
from .messages import parse_message
from .service import Reencoder


@dataclass(frozen=True)
class ReencodeConsumer(queue_consumer.QueueConsumer):
    """The queue of what is to be refined. ``spare_s``: five encodes of ten seconds each, and their scores."""

    work: ClassVar[str] = "refine"
    min_remaining_s: ClassVar[float] = 60.0

    reencoder: Reencoder
    queue: Queue

    def handle(self, message: SqsMessage) -> None:
        """Refine what ``message`` names; raises BadUpload, or what the service raises."""
        order = parse_message(message.body)
        self.observer.add_metadata("key", order.name)
        outcome = self.reencoder.handle(order)
        self.log_handled(message, outcome, name=order.name, hits=order.hits)

    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Let ``message`` wait in its queue."""
        self.queue.set_visibility_timeout(message.receipt_handle, seconds)
