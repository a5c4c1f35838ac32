"""The cache: answers by key, bounded in bytes, least recently used out first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .cache_key import Key
from .freshness import Lifetime
from .messages import Response

OVERHEAD_BYTES = 2048
"""What an entry counts for beside its body, so that errors and empty answers cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A cached answer. ``stored_s`` is when it last came from or was confirmed by its origin, Unix time."""

    path: str
    answer: Response
    life: Lifetime
    stored_s: float

    def age_s(self, now_s: float) -> float:
        """Seconds since the origin last vouched for it."""
        return max(0.0, now_s - self.stored_s)

    def is_fresh(self, now_s: float) -> bool:
        """Whether it may be served without asking."""
        return self.age_s(now_s) < self.life.ttl_s

    def serves_while_revalidating(self, now_s: float) -> bool:
        """Whether it may be served once more while the origin is asked in the background."""
        return self.age_s(now_s) < self.life.ttl_s + self.life.stale_while_revalidate_s

    def survives_failure(self, now_s: float) -> bool:
        """Whether it may be served because the origin fails. Cached errors do not."""
        if self.answer.status >= 400:
            return False
        limit_s = self.life.stale_if_error_s
        return limit_s is None or self.age_s(now_s) < self.life.ttl_s + limit_s


class Store:
    """Entries in order of use, at most ``max_bytes`` of them."""

    def __init__(self, max_bytes: int = 256 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """What all entries count for."""
        return self._bytes

    def get(self, key: Key) -> Entry | None:
        """The entry of ``key``, fresh or not."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, entry: Entry) -> None:
        """Keep ``entry``; what has not been used for longest makes room."""
        self.drop(key)
        size = _size_bytes(entry)
        if size > self._max_bytes:
            return
        self._entries[key] = entry
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= _size_bytes(oldest)

    def drop(self, key: Key) -> None:
        """Forget ``key``, if it is there."""
        if (entry := self._entries.pop(key, None)) is not None:
            self._bytes -= _size_bytes(entry)

    def drop_paths(self, covered: Callable[[str], bool]) -> int:
        """Forget every entry whose path ``covered`` says yes to; how many they were."""
        doomed = [key for key, entry in self._entries.items() if covered(entry.path)]
        for key in doomed:
            self.drop(key)
        return len(doomed)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._bytes = 0


def _size_bytes(entry: Entry) -> int:
    return len(entry.answer.body) + OVERHEAD_BYTES
