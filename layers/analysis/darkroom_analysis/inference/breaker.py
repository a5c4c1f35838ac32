"""The circuit breaker that all workers share: one document of the index table, cached while it is open.

:class:`Circuit` is its state machine. Consecutive failures open the circuit. When its time is over, one caller alone
makes a probe. If that fails, the circuit is open again, for twice as long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, IntEnum, auto
from typing import Any, Self

from darkroom.aws.switches import FALLBACK, Switches
from darkroom.aws.telemetry import Observer, log
from darkroom.errors import Unavailable
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.s3 import S3Bucket


class CircuitState(Enum):
    """``HALF_OPEN``: its time is over and no probe has started. ``PROBING``: a probe is in progress."""

    CLOSED = auto()
    OPEN = auto()
    HALF_OPEN = auto()
    PROBING = auto()


class CircuitEvent(IntEnum):
    """Events of a circuit, the columns of its transitions. ``REQUESTED``: a call is about to be made."""

    REQUESTED = 0
    SUCCEEDED = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class CircuitSettings:
    """``max_failures`` in a row open the circuit for ``open_s``, doubled up to ``max_open_s``.

    ``probe_s`` is longer than a call takes: after it another caller may probe.
    """

    max_failures: int = 5
    open_s: float = 30.0
    max_open_s: float = 300.0
    probe_s: float = 90.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """The stored state. Times are Unix time, 0 for never; ``opened`` counts consecutive openings."""

    failures: int = 0
    opened: int = 0
    opened_until_s: float = 0.0
    probe_until_s: float = 0.0

    def state(self, now_s: float) -> CircuitState:
        """Return the state at ``now_s``."""
        if not self.opened:
            return CircuitState.CLOSED
        if now_s < self.opened_until_s:
            return CircuitState.OPEN
        return CircuitState.PROBING if now_s < self.probe_until_s else CircuitState.HALF_OPEN

    def allows_call(self, now_s: float) -> bool:
        """Whether a call is allowed at ``now_s``; in HALF_OPEN :meth:`apply` claims the probe."""
        return self.state(now_s) in (CircuitState.CLOSED, CircuitState.HALF_OPEN)

    def apply(self, event: CircuitEvent, now_s: float, terms: CircuitSettings) -> Circuit:
        """Return the circuit after ``event``."""
        return _TRANSITIONS[self.state(now_s)][event](self, now_s, terms)

    def to_document(self) -> dict[str, Any]:
        """Return the circuit as fields."""
        return asdict(self)

    @classmethod
    def from_document(cls, fields: Any) -> Self:
        """Parse ``fields``; missing ones are 0."""
        return cls(
            int(fields.get("failures", 0)),
            int(fields.get("opened", 0)),
            float(fields.get("opened_until_s", 0)),
            float(fields.get("probe_until_s", 0)),
        )


type _Transition = Callable[[Circuit, float, CircuitSettings], Circuit]


def _stay(circuit: Circuit, _: float, __: CircuitSettings) -> Circuit:
    return circuit


def _close(_: Circuit, __: float, ___: CircuitSettings) -> Circuit:
    return Circuit()


def _probe(circuit: Circuit, now_s: float, terms: CircuitSettings) -> Circuit:
    return replace(circuit, probe_until_s=now_s + terms.probe_s)


def _count(circuit: Circuit, now_s: float, terms: CircuitSettings) -> Circuit:
    counted = replace(circuit, failures=circuit.failures + 1)
    return counted if counted.failures < terms.max_failures else _open(counted, now_s, terms)


def _open(circuit: Circuit, now_s: float, terms: CircuitSettings) -> Circuit:
    open_s = min(terms.open_s * 2 ** min(circuit.opened, 16), terms.max_open_s)
    return Circuit(circuit.failures, circuit.opened + 1, now_s + open_s)


_TRANSITIONS: dict[CircuitState, tuple[_Transition, _Transition, _Transition]] = {
    # of REQUESTED, SUCCEEDED and FAILED
    CircuitState.CLOSED: (_stay, _close, _count),
    CircuitState.OPEN: (_stay, _stay, _stay),  # results are of calls from before it opened
    CircuitState.HALF_OPEN: (_probe, _close, _open),
    CircuitState.PROBING: (_stay, _close, _open),
}


NAME = "breaker#endpoint"

_MAX_ATTEMPTS = 4
"""Attempts to write a document that another worker changes concurrently."""


@dataclass
class CircuitBreaker:
    """Decides whether the endpoint may be called, and records the results.

    An open circuit is not read again before its time is over; a closed one is read before every call: that takes
    milliseconds, a call of a dead endpoint its whole timeout. If the table is unavailable, calls are allowed.
    """

    entries: DocumentStore
    settings: CircuitSettings = field(default_factory=CircuitSettings)
    clock: Callable[[], float] = time.time
    on_open: Callable[[], None] = lambda: None
    """Called when this worker opens the circuit."""

    is_disabled: Callable[[], bool] = lambda: False
    """Whether a switch forbids calls regardless of the circuit."""

    _last_seen: Circuit = field(default_factory=Circuit)

    def allows_call(self) -> bool:
        """Whether to make a call now. If so, :meth:`record_success` or :meth:`record_failure` must follow."""
        now_s = self.clock()
        if self._last_seen.state(now_s) is CircuitState.OPEN or self.is_disabled():
            return False
        return self._transition(CircuitEvent.REQUESTED, now_s)

    def record_success(self) -> None:
        """Record a successful call."""
        if self._last_seen != Circuit():
            self._transition(CircuitEvent.SUCCEEDED, self.clock())

    def record_failure(self) -> None:
        """Record a failed call."""
        self._transition(CircuitEvent.FAILED, self.clock())

    def _transition(self, happening: CircuitEvent, now_s: float) -> bool:
        """Apply ``happening`` to the shared circuit; return whether it allowed a call before."""
        try:
            for _ in range(_MAX_ATTEMPTS):
                entry = self.entries.get(NAME)
                before = Circuit.from_document(entry.fields)
                after = before.apply(happening, now_s, self.settings)
                if after == before or self.entries.put(NAME, after.to_document(), replaces=entry.version):
                    self._last_seen = after
                    if after.opened > before.opened:
                        self.on_open()
                    return before.allows_call(now_s)
        except Unavailable as error:
            log("WARNING", "circuit breaker unavailable", detail=error.detail)
            return True
        return False


def open_breaker(entries: DocumentStore, media: S3Bucket, observer: Observer) -> CircuitBreaker:
    """Return a breaker that counts ``BreakerOpen`` and forbids calls while the switch ``fallback`` is on."""
    switches = Switches(media.read)
    return CircuitBreaker(
        entries, on_open=lambda: observer.count("BreakerOpen"), is_disabled=lambda: switches.is_on(FALLBACK)
    )
