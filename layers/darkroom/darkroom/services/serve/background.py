"""Background calls: requests to S3 that run beside each other, some before the request is known to be allowed."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any


class BackgroundCall[T]:
    """``call`` running in a thread of its own; :meth:`result` waits for it.

    A bare thread rather than an executor: ``concurrent.futures`` costs a cold start 10 ms of imports.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._value: T | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # raised again by result()
            self._error = error

    def result(self) -> T:
        """Return the value of the call, or raise what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class Prefetch:
    """Calls in progress by name, each of which is taken at most once.

    When the settings have to be read, the objects that the request needs are read at the same time. Otherwise the first
    response of a process would take one more round trip to S3.
    """

    def __init__(self) -> None:
        self._started: dict[str, BackgroundCall[Any]] = {}

    def start(self, name: str, call: Callable[[], Any]) -> None:
        """Start ``call`` in the background."""
        self._started[name] = BackgroundCall(call)

    def take[T](self, name: str, call: Callable[[], T]) -> BackgroundCall[T]:
        """Return the call started as ``name``, else start ``call``. A name stands for one call only."""
        started = self._started.pop(name, None)
        return BackgroundCall(call) if started is None else started

    def clear(self) -> None:
        """Drop the calls that were not taken: the next request may need newer results."""
        self._started.clear()
