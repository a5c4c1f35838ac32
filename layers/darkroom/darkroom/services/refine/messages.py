"""From queue messages to the service, and what happens to a message whose work did not succeed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...aws.observer import Observer
from ...aws.queues import Queue
from ...errors import Unavailable
from ..backoff import backoff_s
from ..correlation import correlation_id
from ..dead_letters import gave_up
from ..figures import attempted, failed
from ..received import Message
from .orders import read_order
from .service import Refine

SPARE_S = 60.0
"""Time left in an invocation below which no message is begun: five encodes of ten seconds each, and their scores."""


@dataclass(frozen=True)
class Inbox:
    """The queue, and its dead letters.

    A message is given up after ``max_receives``, with its cause. SQS itself gives up those whose worker never answers.
    """

    refine: Refine
    observer: Observer
    queue: Queue
    dead_letters: Queue
    max_receives: int

    def receive(self, message: Message, remaining_s: Callable[[], float]) -> None:
        """Deal with ``message``: it may be deleted if this returns, and comes again if it raises."""
        if remaining_s() < SPARE_S:
            self.queue.hide(message.receipt_handle, 0)
            raise Unavailable("There is no time left in this invocation")
        continued = {"trace_header": message.trace_header, "correlation_id": correlation_id(message.body)}
        with self.observer.message("refine", **continued):
            try:
                self._handle(message)
            except Exception as error:
                self._try_again(message, error)

    def _handle(self, message: Message) -> None:
        order = read_order(message.body)
        self.observer.note("key", order.name)
        outcome = self.refine.handle(order)
        attempted(self.observer)
        self.observer.annotate("outcome", outcome)
        self.observer.log(
            "INFO",
            "handled",
            outcome=outcome,
            name=order.name,
            hits=order.hits,
            receives=message.receives,
            ms={name: round(spent, 1) for name, spent in self.observer.timings_ms.items()},
        )

    def _try_again(self, message: Message, error: Exception) -> None:
        attempted(self.observer)
        failed(self.observer, error)
        most, dead = self.max_receives, self.dead_letters
        if gave_up(error, message, max_receives=most, dead_letters=dead, observer=self.observer):
            return
        self.queue.hide(message.receipt_handle, backoff_s(message.receives))
        raise error
