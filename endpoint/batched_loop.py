"""LitServe's loop over batches, without polling while there are no requests."""

from __future__ import annotations

from typing import Any

from litserve import LitAPI
from litserve.loops.simple_loops import BatchedLoop

IDLE_WAIT_S = 1.0
"""Time between two checks of an empty queue; a request ends it."""


class WaitingBatchedLoop(BatchedLoop):  # type: ignore[misc]
    """Waits for the first request of a batch; LitServe 0.2 asks its queue a thousand times a second meanwhile.

    The others of the batch have the whole ``batch_timeout`` after the first one.
    """

    def get_batch_requests(self, lit_api: LitAPI, request_queue: Any, transport: Any) -> tuple[list[Any], list[Any]]:
        """Return the requests of the next batch, and those that waited for too long; neither after a pause."""
        first = self.get_request(request_queue, timeout=IDLE_WAIT_S)
        if first is None:
            return [], []
        return super().get_batch_requests(lit_api, _QueueFrom(first, request_queue), transport)  # type: ignore[no-any-return]


class _QueueFrom:
    """The queue ``others`` with ``first`` at its front."""

    def __init__(self, first: object, others: Any) -> None:
        self._first: list[object] = [first]
        self._others = others

    def get(self, timeout: float | None = None) -> object:
        """Return the next item. Raises Empty after ``timeout`` seconds."""
        return self._first.pop() if self._first else self._others.get(timeout=timeout)

    def get_nowait(self) -> object:
        """Return the next item. Raises Empty if there is none."""
        return self._first.pop() if self._first else self._others.get_nowait()
