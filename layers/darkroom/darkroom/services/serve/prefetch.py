"""Reads of a request that begin before it is known whether the request is allowed.

When the settings have to be read, the objects that the request needs are read at the same time. Otherwise the first
response of a process would take one more round trip to S3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .background import BackgroundCall


class Prefetch:
    """Calls in progress by name, each of which is taken at most once."""

    def __init__(self) -> None:
        self._begun: dict[str, BackgroundCall[Any]] = {}

    def start(self, name: str, call: Callable[[], Any]) -> None:
        """Start ``call``."""
        self._begun[name] = BackgroundCall(call)

    def take[T](self, name: str, call: Callable[[], T]) -> BackgroundCall[T]:
        """The call that was begun as ``name``, else ``call``, started now. A name stands for one call only."""
        begun = self._begun.pop(name, None)
        return BackgroundCall(call) if begun is None else begun

    def clear(self) -> None:
        """Drop what was not taken: the next request may need what is there by then."""
        self._begun.clear()
