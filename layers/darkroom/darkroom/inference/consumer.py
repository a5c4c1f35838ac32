"""Consume the two queues of the infer function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws.sqs import Queue
from ..services.queue_consumer import QueueConsumer, SqsMessage
from .analysis import AnalysisOutcome, AnalysisService
from .messages import parse_request


@dataclass(frozen=True)
class InferenceConsumer(QueueConsumer):
    """``queues`` by name, with one dead letter queue. ``min_remaining_s`` covers three attempts and the fallback."""

    work: ClassVar[str] = "infer"
    min_remaining_s: ClassVar[float] = 60.0

    service: AnalysisService[Any]
    queues: Mapping[str, Queue]

    def handle(self, message: SqsMessage) -> None:
        """Analyse the master that ``message`` names. Raises BadUpload, and what the service raises."""
        request = parse_request(message.body)
        kind, key, attempt = (request.kind, request.key, request.attempt) if request else ("", "", 0)
        self.observer.add_metadata("key", key)
        outcome = self.service.handle(request) if request else AnalysisOutcome.DROPPED
        self.log_handled(message, outcome, kind=kind, key=key, attempt=attempt)

    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Hide ``message`` for ``seconds``; in an unknown queue its own visibility timeout applies."""
        if message.queue in self.queues:
            self.queues[message.queue].set_visibility_timeout(message.receipt_handle, seconds)
