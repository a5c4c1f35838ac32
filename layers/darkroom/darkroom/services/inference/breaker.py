"""The circuit breaker that all workers share: one document of the index table, cached while it is open."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ...aws.documents import DocumentStore
from ...aws.s3 import S3Bucket
from ...aws.switches import FALLBACK, Switches, build_reader
from ...aws.telemetry import Observer, log
from ...errors import Unavailable
from .circuit import Circuit, CircuitEvent, CircuitSettings, CircuitState

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
    switches = Switches(build_reader(media))
    return CircuitBreaker(
        entries, on_open=lambda: observer.count("BreakerOpen"), is_disabled=lambda: switches.is_on(FALLBACK)
    )
