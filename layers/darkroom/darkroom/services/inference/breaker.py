"""The circuit that all workers share: one entry of the index table, seen through a short memory of one's own."""

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
"""At an entry that changes between looking and writing."""


@dataclass
class CircuitBreaker:
    """Whether the endpoint may be called, and what came of it.

    An open circuit is not read again before its time is over, a closed one before every call: that read takes
    milliseconds, a call to a dead endpoint its whole deadline. A table that does not answer stops nobody.
    """

    entries: DocumentStore
    settings: CircuitSettings = field(default_factory=CircuitSettings)
    clock: Callable[[], float] = time.time
    on_open: Callable[[], None] = lambda: None
    """Called when this worker has opened it."""

    is_disabled: Callable[[], bool] = lambda: False
    """Whether the endpoint is to be left alone all the same: somebody has said so, by a switch."""

    _last_seen: Circuit = field(default_factory=Circuit)

    def allows_call(self) -> bool:
        """Whether to make a call now. If so, one of :meth:`succeeded` and :meth:`failed` must follow."""
        now_s = self.clock()
        if self._last_seen.state(now_s) is CircuitState.OPEN or self.is_disabled():
            return False
        return self._transition(CircuitEvent.REQUESTED, now_s)

    def record_success(self) -> None:
        """A call was answered."""
        if self._last_seen != Circuit():
            self._transition(CircuitEvent.SUCCEEDED, self.clock())

    def record_failure(self) -> None:
        """A call was not answered, or with a fault."""
        self._transition(CircuitEvent.FAILED, self.clock())

    def _transition(self, happening: CircuitEvent, now_s: float) -> bool:
        """Move the shared circuit; whether it lets a call through that is wanted."""
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
            log("WARNING", "the circuit breaker cannot be reached", detail=error.detail)
            return True
        return False


def open_breaker(entries: DocumentStore, media: S3Bucket, observer: Observer) -> CircuitBreaker:
    """That of a function: it counts when it opens, and rests while the switch ``fallback`` is on."""
    switches = Switches(build_reader(media))
    return CircuitBreaker(
        entries, on_open=lambda: observer.count("BreakerOpen"), is_disabled=lambda: switches.is_on(FALLBACK)
    )
