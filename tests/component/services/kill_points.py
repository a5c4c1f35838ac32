"""Kill or overtake a worker at one of its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol


class Clients(Protocol):
    """An environment with its boto3 clients by service."""

    clients: dict[str, Any]


class Killed(BaseException):
    """The end of a worker: no handler of ours may catch it."""


@dataclass
class Wire:
    """Acts at the call with number ``at``: ``before-send`` or, when it has been carried out, ``after-call``.

    ``calls_of`` are the operations that count, all of them unless it is given.
    """

    moment: str
    at: int
    act: Callable[[], None]
    calls_of: str = "*"
    calls: int = 0
    _within: bool = False

    def touch(self, **_: Any) -> None:
        if self._within:
            return
        self.calls += 1
        if self.calls == self.at:
            self._within = True
            try:
                self.act()
            finally:
                self._within = False

    @property
    def reached(self) -> bool:
        return self.calls >= self.at


@contextmanager
def wired(env: Clients, wire: Wire) -> Iterator[None]:
    for client in env.clients.values():
        client.meta.events.register(f"{wire.moment}.{wire.calls_of}", wire.touch, unique_id="wire")
    try:
        yield
    finally:
        for client in env.clients.values():
            client.meta.events.unregister(f"{wire.moment}.{wire.calls_of}", unique_id="wire")


def kill() -> None:
    raise Killed
