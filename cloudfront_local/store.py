"""The cache: responses by key, bounded in bytes, with LRU eviction."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .cache_key import Key
from .freshness import Lifetime
from .messages import Response

OVERHEAD_BYTES = 2048
"""Counted for each entry beside its body, so that errors and empty responses cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A cached response. ``stored_s`` is the Unix time when its origin last sent or confirmed it."""

    path: str
    answer: Response
    life: Lifetime
    stored_s: float

    def age_s(self, now_s: float) -> float:
        """Return the seconds since the origin last sent or confirmed it."""
        return max(0.0, now_s - self.stored_s)

    def is_fresh(self, now_s: float) -> bool:
        """Return whether it may be served without revalidation."""
        return self.age_s(now_s) < self.life.ttl_s

    def serves_while_revalidating(self, now_s: float) -> bool:
        """Return whether it may be served while it is revalidated in the background."""
        return self.age_s(now_s) < self.life.ttl_s + self.life.stale_while_revalidate_s

    def survives_failure(self, now_s: float) -> bool:
        """Return whether it may be served when the origin fails. Cached errors may not."""
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
        """Return the counted size of all entries."""
        return self._bytes

    def get(self, key: Key) -> Entry | None:
        """Return the entry of ``key``, fresh or stale."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, entry: Entry) -> None:
        """Store ``entry`` and evict the least recently used ones."""
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
        """Drop ``key`` if it is stored."""
        if (entry := self._entries.pop(key, None)) is not None:
            self._bytes -= _size_bytes(entry)

    def drop_paths(self, covered: Callable[[str], bool]) -> int:
        """Drop every entry whose path is ``covered``; return their number."""
        dropped = [key for key, entry in self._entries.items() if covered(entry.path)]
        for key in dropped:
            self.drop(key)
        return len(dropped)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self._bytes = 0


def _size_bytes(entry: Entry) -> int:
    return len(entry.answer.body) + OVERHEAD_BYTES
