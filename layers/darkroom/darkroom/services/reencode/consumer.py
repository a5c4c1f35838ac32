"""Consume the queue of derivatives to re-encode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...aws.sqs import Queue
from .. import queue_consumer
from ..queue_consumer import SqsMessage
from .messages import parse_message
from .service import Reencoder


@dataclass(frozen=True)
class ReencodeConsumer(queue_consumer.QueueConsumer):
    """Consumes the queue. ``spare_s``: five encodes of ten seconds each, and their scores."""

    work: ClassVar[str] = "refine"
    min_remaining_s: ClassVar[float] = 60.0

    reencoder: Reencoder
    queue: Queue

    def handle(self, message: SqsMessage) -> None:
        """Re-encode the derivative of ``message``; raises BadUpload, or what the service raises."""
        parsed = parse_message(message.body)
        self.observer.add_metadata("key", parsed.name)
        outcome = self.reencoder.handle(parsed)
        self.log_handled(message, outcome, name=parsed.name, hits=parsed.hits)

    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Delay the retry of ``message``."""
        self.queue.set_visibility_timeout(message.receipt_handle, seconds)
