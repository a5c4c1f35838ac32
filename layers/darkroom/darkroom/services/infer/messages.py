"""From the messages of two queues to the service, and what happens to a message whose work did not succeed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...aws.observer import Observer
from ...aws.queues import Queue
from ...errors import Unavailable
from ..backoff import backoff_s
from ..correlation import correlation_id
from ..dead_letters import gave_up
from ..figures import attempted, failed
from ..received import Message
from .requests import read_request
from .service import Infer, Outcome

SPARE_S = 60.0
"""Time left in an invocation below which no further message is begun: three tries and the fallback take as long."""


@dataclass(frozen=True)
class Inbox:
    """The ``queues`` by their names, and the dead letters of both.

    A message is given up after ``max_receives``, with its cause. SQS itself gives up those whose worker never answers.
    """

    infer: Infer
    observer: Observer
    queues: Mapping[str, Queue]
    dead_letters: Queue
    max_receives: int

    def receive(self, message: Message, remaining_s: Callable[[], float]) -> None:
        """Deal with ``message``: it may be deleted if this returns, and comes again if it raises."""
        if remaining_s() < SPARE_S:
            self._hide(message, 0)
            raise Unavailable("There is no time left in this invocation")
        continued = {"trace_header": message.trace_header, "correlation_id": correlation_id(message.body)}
        with self.observer.message("infer", **continued):
            try:
                self._handle(message)
            except Exception as error:
                self._try_again(message, error)

    def _handle(self, message: Message) -> None:
        request = read_request(message.body)
        self.observer.note("key", request.key if request else "")
        outcome = self.infer.handle(request) if request else Outcome.DROPPED
        attempted(self.observer)
        self.observer.annotate("outcome", outcome)
        self.observer.log(
            "INFO",
            "handled",
            outcome=outcome,
            kind=request.kind if request else "",
            key=request.key if request else "",
            attempt=request.attempt if request else 0,
            receives=message.receives,
            ms={name: round(spent, 1) for name, spent in self.observer.timings_ms.items()},
        )

    def _try_again(self, message: Message, error: Exception) -> None:
        attempted(self.observer)
        failed(self.observer, error)
        most, dead = self.max_receives, self.dead_letters
        if gave_up(error, message, max_receives=most, dead_letters=dead, observer=self.observer):
            return
        self._hide(message, backoff_s(message.receives))
        raise error

    def _hide(self, message: Message, seconds: float) -> None:
        """Let the message wait. One of a queue that we do not know waits for that queue's own time."""
        if message.queue in self.queues:
            self.queues[message.queue].hide(message.receipt_handle, seconds)
