"""A journal of origin requests, for tests and the console."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

MAX_CALLS = 20_000


@dataclass(frozen=True, slots=True)
class OriginCall:
    """One request to an origin. ``status`` is 0 without a response; ``started_s`` is Unix time."""

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
    """The last origin requests, oldest first. ``number`` continues when old ones are dropped."""

    def __init__(self) -> None:
        self._calls: deque[OriginCall] = deque(maxlen=MAX_CALLS)
        self._next = 1

    def note(self, call: OriginCall) -> None:
        """Add one call and assign its number."""
        self._calls.append(replace(call, number=self._next))
        self._next += 1

    def since(self, number: int = 0) -> Iterable[dict[str, object]]:
        """Return calls after ``number``, as plain values."""
        return (asdict(call) for call in self._calls if call.number > number)
