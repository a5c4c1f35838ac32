"""Consume the two queues of the infer function."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from darkroom.errors import BadUpload
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.analysis_requests import parse_request
from darkroom_pipeline.services.queue_consumer import QueueConsumer, SqsMessage

from .analysis import AnalysisOutcome, AnalysisService
from .findings_writer import Superseded


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
        if request is not None and message.receives >= self.max_receives:
            with suppress(Superseded):  # a worker that dies of this attempt cannot record it
                self.service.record_failure(request, publish=False)
        outcome = self.service.handle(request) if request else AnalysisOutcome.DROPPED
        self.log_handled(message, outcome, kind=kind, key=key, attempt=attempt)

    def record_failure(self, message: SqsMessage) -> None:
        """Publish that the analysis failed: ingest, reviewers and readers of findings wait for it."""
        with suppress(BadUpload, Superseded):
            if (request := parse_request(message.body)) is not None:
                self.service.record_failure(request, publish=True)

    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Hide ``message`` for ``seconds``; in an unknown queue its own visibility timeout applies."""
        if message.queue in self.queues:
            self.queues[message.queue].set_visibility_timeout(message.receipt_handle, seconds)
