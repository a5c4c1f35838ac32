"""The visitors of a run: a set with the variant of each and whether it clicked, of 8 bytes a visitor."""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from .statistics import Counts

MAX_VISITORS = 1_000_000
"""Of one run: 8 MB in S3, and some 100 MB while a function adds to it."""

MAX_EARLY_CLICKS = 100_000
"""Visitors of one run whose click is known before their view: 16 bytes each."""

_VARIANT_BITS, _CLICKED = 4, 1
_LOW_BITS = _VARIANT_BITS + 1
_LOW = (1 << _LOW_BITS) - 1

_EARLY_CLICK = _LOW
"""In place of a variant: the next word is the time of the click."""


class VisitorSet:
    """Visitors by 59 bits of the SHA-256 of a salt and their identifier, which is not stored.

    Among a million visitors two share a hash with a probability of one in a million. ``etag`` is that of the object
    that the set was read from. ``early_clicks`` are of visitors who are not in the set yet: their keys, and Unix time.
    """

    def __init__(self, etag: str = "") -> None:
        self.etag = etag
        self.early_clicks: dict[int, int] = {}
        self._found: dict[int, int] = {}

    @classmethod
    def from_bytes(cls, data: bytes, etag: str) -> VisitorSet:
        """Read a set. Raises ValueError for a truncated one."""
        made, words = cls(etag), array("Q")
        words.frombytes(data)
        if sys.byteorder == "big":
            words.byteswap()
        rest = iter(words)
        for word in rest:
            if word & _LOW == _EARLY_CLICK:
                made.early_clicks[word >> _LOW_BITS] = next(rest, 0)
            else:
                made._found[word >> _LOW_BITS] = word & _LOW
        return made

    def to_bytes(self) -> bytes:
        """Write the set."""
        words = array("Q", [key << _LOW_BITS | value for key, value in self._found.items()])
        for key, at_s in self.early_clicks.items():
            words.extend((key << _LOW_BITS | _EARLY_CLICK, at_s))
        if sys.byteorder == "big":
            words.byteswap()
        return words.tobytes()

    def __len__(self) -> int:
        return len(self._found)

    def find_variant(self, key: int) -> int | None:
        """Return the number of the variant that a visitor saw first, None for a new visitor."""
        value = self._found.get(key)
        return None if value is None else value >> 1

    def add(self, key: int, variant: int) -> bool:
        """Add a new visitor who saw a variant; return whether there was room."""
        if len(self._found) >= MAX_VISITORS:
            return False
        self._found[key] = variant << 1
        return True

    def click(self, key: int) -> None:
        """Record that a visitor of the set clicked. Further clicks count nothing."""
        self._found[key] |= _CLICKED

    def add_early_click(self, key: int, at_s: float) -> bool:
        """Add the click of a visitor who is not in the set; return whether there was room."""
        if len(self.early_clicks) >= MAX_EARLY_CLICKS:
            return False
        self.early_clicks[key] = int(at_s)
        return True

    def remove_early_clicks(self, until_s: float) -> None:
        """Remove clicks until a time."""
        self.early_clicks = {key: at_s for key, at_s in self.early_clicks.items() if at_s > until_s}

    def count(self, presets: Sequence[str]) -> dict[str, Counts]:
        """Count visitors and clicks of each variant."""
        counts = Counter(self._found.values())
        return {
            preset: Counts(counts[number << 1] + counts[number << 1 | 1], counts[number << 1 | 1])
            for number, preset in enumerate(presets)
        }


def hash_visitor(salt: str, visitor: str) -> int:
    """Return the key of a visitor in the set of a run."""
    return int.from_bytes(sha256(f"{salt}\n{visitor}".encode()).digest()[:8]) >> _LOW_BITS
