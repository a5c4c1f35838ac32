"""Count the most frequent items of a stream in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping


class FrequentItems:
    """Counts of at most ``most`` names (Misra and Gries, "Finding repeated elements", 1982).

    A count is never too high. It is too low by at most ``total / (most + 1)``, and only if there are more than ``most``
    names: every name that is more frequent than that is counted.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[str, int] = {}
        self.total = 0

    def add(self, name: str) -> None:
        """Count ``name`` once more."""
        self.total += 1
        if name in self._counts:
            self._counts[name] += 1
        elif len(self._counts) < self._most:
            self._counts[name] = 1
        else:
            self._counts = {name: count - 1 for name, count in self._counts.items() if count > 1}

    @property
    def counts(self) -> Mapping[str, int]:
        """Lower bound of the count of each name."""
        return self._counts
