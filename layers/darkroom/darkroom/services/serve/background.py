"""A call made beside the main one: requests to S3 that need not wait for each other.

A bare thread rather than an executor: ``concurrent.futures`` costs a cold start 10 ms of imports.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread


class BackgroundCall[T]:
    """``call`` running in a thread of its own; :meth:`result` waits for it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._value: T | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # raised again where the result is asked for
            self._error = error

    def result(self) -> T:
        """The value of the call; raises what the call raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]
