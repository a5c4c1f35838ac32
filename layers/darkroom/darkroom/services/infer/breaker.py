"""The circuit that all workers share: one entry of the index table, seen through a short memory of one's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ...aws.documents import DocumentStore
from ...aws.s3 import S3Bucket
from ...aws.switches import FALLBACK, Switches, reader
from ...aws.telemetry import log
from ...aws.telemetry.protocol import Observer
from ...errors import Unavailable
from .circuit import Circuit, Happening, Phase, Terms

NAME = "breaker#endpoint"

_TRIES = 4
"""At an entry that changes between looking and writing."""


@dataclass
class Breaker:
    """Whether the endpoint may be called, and what came of it.

    An open circuit is not read again before its time is over, a closed one before every call: that read takes
    milliseconds, a call to a dead endpoint its whole deadline. A table that does not answer stops nobody.
    """

    entries: DocumentStore
    terms: Terms = field(default_factory=Terms)
    clock: Callable[[], float] = time.time
    opened: Callable[[], None] = lambda: None
    """Called when this worker has opened it."""

    resting: Callable[[], bool] = lambda: False
    """Whether the endpoint is to be left alone all the same: somebody has said so, by a switch."""

    _seen: Circuit = field(default_factory=Circuit)

    def allows(self) -> bool:
        """Whether to make a call now. If so, one of :meth:`succeeded` and :meth:`failed` must follow."""
        now_s = self.clock()
        if self._seen.phase(now_s) is Phase.OPEN or self.resting():
            return False
        return self._moved(Happening.WANTED, now_s)

    def succeeded(self) -> None:
        """A call was answered."""
        if self._seen != Circuit():
            self._moved(Happening.SUCCEEDED, self.clock())

    def failed(self) -> None:
        """A call was not answered, or with a fault."""
        self._moved(Happening.FAILED, self.clock())

    def _moved(self, happening: Happening, now_s: float) -> bool:
        """Move the shared circuit; whether it lets a call through that is wanted."""
        try:
            for _ in range(_TRIES):
                entry = self.entries.get(NAME)
                before = Circuit.read(entry.fields)
                after = before.after(happening, now_s, self.terms)
                if after == before or self.entries.put(NAME, after.document(), replaces=entry.version):
                    self._seen = after
                    if after.opened > before.opened:
                        self.opened()
                    return before.lets_through(now_s)
        except Unavailable as error:
            log("WARNING", "the circuit breaker cannot be reached", detail=error.detail)
            return True
        return False


def open_breaker(entries: DocumentStore, media: S3Bucket, observer: Observer) -> Breaker:
    """That of a function: it counts when it opens, and rests while the switch ``fallback`` is on."""
    switches = Switches(reader(media))
    return Breaker(entries, opened=lambda: observer.count("BreakerOpen"), resting=lambda: switches.is_on(FALLBACK))
