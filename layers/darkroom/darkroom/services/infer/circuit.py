"""A circuit breaker, without a place where it is kept: while the endpoint fails, it is left alone.

Some failures in a row open the circuit. When its time is over one caller, and nobody else, makes a call to see whether
the endpoint is back. If it is not, the circuit is open again, for twice as long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import Enum, auto
from typing import Any, Self


class Phase(Enum):
    """``DUE``: its time is over and nobody has tried yet. ``PROBING``: somebody is trying."""

    CLOSED = auto()
    OPEN = auto()
    DUE = auto()
    PROBING = auto()


class Happening(Enum):
    """What moves a circuit. ``WANTED``: somebody wants to make a call."""

    WANTED = auto()
    SUCCEEDED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Terms:
    """When a circuit opens, and for how long.

    ``failures`` in a row open it for ``open_s``, at most for ``longest_s``. ``probe_s`` is longer than a call takes:
    after it, whoever was trying counts as dead.
    """

    failures: int = 5
    open_s: float = 30.0
    longest_s: float = 300.0
    probe_s: float = 90.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """Its state. Times are Unix time, 0 for never; ``opened`` counts how often in a row it was opened."""

    failures: int = 0
    opened: int = 0
    opened_until_s: float = 0.0
    probe_until_s: float = 0.0

    def phase(self, now_s: float) -> Phase:
        """Where it stands."""
        if not self.opened:
            return Phase.CLOSED
        if now_s < self.opened_until_s:
            return Phase.OPEN
        return Phase.PROBING if now_s < self.probe_until_s else Phase.DUE

    def lets_through(self, now_s: float) -> bool:
        """Whether who wants to make a call may: :meth:`after` that is the claim of a probe."""
        return self.phase(now_s) in (Phase.CLOSED, Phase.DUE)

    def after(self, happening: Happening, now_s: float, terms: Terms) -> Circuit:
        """What becomes of it."""
        return _MOVES[self.phase(now_s), happening](self, now_s, terms)

    def document(self) -> dict[str, Any]:
        """The circuit as fields."""
        return asdict(self)

    @classmethod
    def read(cls, fields: Any) -> Self:
        """The circuit that ``fields`` describe; those that are missing are 0."""
        return cls(
            int(fields.get("failures", 0)),
            int(fields.get("opened", 0)),
            float(fields.get("opened_until_s", 0)),
            float(fields.get("probe_until_s", 0)),
        )


type _Move = Callable[[Circuit, float, Terms], Circuit]


def _stay(circuit: Circuit, _: float, __: Terms) -> Circuit:
    return circuit


def _close(_: Circuit, __: float, ___: Terms) -> Circuit:
    return Circuit()


def _probe(circuit: Circuit, now_s: float, terms: Terms) -> Circuit:
    return replace(circuit, probe_until_s=now_s + terms.probe_s)


def _count(circuit: Circuit, now_s: float, terms: Terms) -> Circuit:
    counted = replace(circuit, failures=circuit.failures + 1)
    return counted if counted.failures < terms.failures else _open(counted, now_s, terms)


def _open(circuit: Circuit, now_s: float, terms: Terms) -> Circuit:
    open_s = min(terms.open_s * 2 ** min(circuit.opened, 16), terms.longest_s)
    return Circuit(circuit.failures, circuit.opened + 1, now_s + open_s)


_MOVES: dict[tuple[Phase, Happening], _Move] = {
    (Phase.CLOSED, Happening.WANTED): _stay,
    (Phase.CLOSED, Happening.SUCCEEDED): _close,
    (Phase.CLOSED, Happening.FAILED): _count,
    (Phase.OPEN, Happening.WANTED): _stay,
    (Phase.OPEN, Happening.SUCCEEDED): _stay,  # of a call from before it opened
    (Phase.OPEN, Happening.FAILED): _stay,
    (Phase.DUE, Happening.WANTED): _probe,
    (Phase.DUE, Happening.SUCCEEDED): _close,
    (Phase.DUE, Happening.FAILED): _open,
    (Phase.PROBING, Happening.WANTED): _stay,
    (Phase.PROBING, Happening.SUCCEEDED): _close,
    (Phase.PROBING, Happening.FAILED): _open,
}
