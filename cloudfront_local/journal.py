"""What the CDN asked its origins for, so that a test or the console can see what a request cost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

KEPT = 20_000


@dataclass(frozen=True, slots=True)
class OriginCall:
    """One request to an origin. ``status`` is 0 where none came; ``started_s`` is Unix time."""

    request_id: str
    method: str
    path: str
    origin: str
    kind: str
    status: int
    started_s: float
    took_ms: float
    number: int = 0


class Journal:
    """The last calls to origins, oldest first. ``number`` goes on when old ones are forgotten."""

    def __init__(self) -> None:
        self._calls: deque[OriginCall] = deque(maxlen=KEPT)
        self._next = 1

    def note(self, call: OriginCall) -> None:
        """Remember one call; its number is given here."""
        self._calls.append(replace(call, number=self._next))
        self._next += 1

    def since(self, number: int = 0) -> Iterable[dict[str, object]]:
        """Calls after ``number``, as plain values."""
        return (asdict(call) for call in self._calls if call.number > number)
