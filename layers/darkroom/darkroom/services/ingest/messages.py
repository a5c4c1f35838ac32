"""From queue messages to the service, and what happens to a message whose work did not succeed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from ...aws.letters import REDRIVEN
from ...aws.observer import Observer
from ...aws.queues import Queue
from ...errors import Busy, Unavailable
from ..backoff import backoff_s
from ..correlation import correlation_id
from ..dead_letters import gave_up
from ..figures import attempted, failed
from ..received import Message
from .changes import read_change
from .service import Ingest, Outcome

SPARE_S = 30.0
"""Time left in an invocation below which no further message is begun: a large upload takes as long."""


@dataclass(frozen=True)
class Inbox:
    """The queue of changes, and its dead letters.

    A message is given up after ``max_receives``, with its cause. SQS itself gives up those whose worker never answers.
    """

    ingest: Ingest
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
        with self.observer.message("change", **continued):
            try:
                self._handle(message)
            except Busy as error:
                self._postpone(message, error)
            except Exception as error:
                self._try_again(message, error)

    def _handle(self, message: Message) -> None:
        change = read_change(message.body)
        self.observer.note("key", change.key if change else "")
        outcome = self.ingest.handle(change) if change else Outcome.DROPPED
        attempted(self.observer)
        self.observer.annotate("outcome", outcome)
        self.observer.log(
            "INFO",
            "handled",
            outcome=outcome,
            kind=change.kind if change else "",
            key=change.key if change else "",
            receives=message.receives,
            ms={name: round(spent, 1) for name, spent in self.observer.timings_ms.items()},
        )

    def _postpone(self, message: Message, error: Busy) -> None:
        """Another attempt holds the claim. Waiting for it is no failure, so it does not count as one."""
        self.observer.log("INFO", error.message, detail=error.detail, retry_in_s=error.retry_in_s)
        marked = {REDRIVEN: message.redriven} if message.redriven else {}
        self.queue.send(json.loads(message.body), delay_s=min(900, int(error.retry_in_s) + 1), attributes=marked)

    def _try_again(self, message: Message, error: Exception) -> None:
        attempted(self.observer)
        failed(self.observer, error)
        most, dead = self.max_receives, self.dead_letters
        if gave_up(error, message, max_receives=most, dead_letters=dead, observer=self.observer):
            return
        self.queue.hide(message.receipt_handle, backoff_s(message.receives))
        raise error
