"""What happens to a message of a queue: it is worked on, or comes again later, or is given up with its cause."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ..aws.sqs import Queue
from ..aws.telemetry import Observer
from ..errors import Unavailable
from .backoff import backoff_s
from .correlation import correlation_id
from .dead_letters import send_to_dlq_if_due
from .request_metrics import count_failure, count_request
from .sqs_message import SqsMessage


@dataclass(frozen=True)
class QueueConsumer(ABC):
    """Where messages arrive, and their dead letters.

    A message is given up after ``max_receives``, with its cause. SQS itself gives up those whose worker never answers.
    ``work`` is what traces call it; no message is begun with less than ``spare_s`` left in the invocation.
    """

    work: ClassVar[str]
    min_remaining_s: ClassVar[float]

    observer: Observer
    dead_letters: Queue
    max_receives: int

    def receive(self, message: SqsMessage, remaining_s: Callable[[], float]) -> None:
        """Deal with ``message``: it may be deleted if this returns, and comes again if it raises."""
        if remaining_s() < self.min_remaining_s:
            self.hide(message, 0)
            raise Unavailable("There is no time left in this invocation")
        continued = {"trace_header": message.trace_header, "correlation_id": correlation_id(message.body)}
        with self.observer.message(self.work, **continued):
            try:
                self.handle(message)
            except Exception as error:
                self._retry_or_give_up(message, error)

    @abstractmethod
    def handle(self, message: SqsMessage) -> None:
        """Do what ``message`` asks for, and tell of it; raises what shall make it come again."""

    @abstractmethod
    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Let ``message`` wait in its queue."""

    def log_handled(self, message: SqsMessage, outcome: str, **fields: object) -> None:
        """Count and log that ``message`` was handled."""
        count_request(self.observer)
        self.observer.annotate("outcome", outcome)
        stages_ms = {name: round(spent, 1) for name, spent in self.observer.timings_ms.items()}
        self.observer.log("INFO", "handled", outcome=outcome, **fields, receives=message.receives, ms=stages_ms)

    def _retry_or_give_up(self, message: SqsMessage, error: Exception) -> None:
        count_request(self.observer)
        count_failure(self.observer, error)
        most, dead = self.max_receives, self.dead_letters
        if send_to_dlq_if_due(error, message, max_receives=most, dead_letters=dead, observer=self.observer):
            return
        self.hide(message, backoff_s(message.receives))
        raise error
