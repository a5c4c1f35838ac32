"""What many measurements of one thing say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Measurements in one unit, one a turn."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of at least one value."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """The middle value, or the mean of the two in the middle."""
        return median(self.values)

    @property
    def low(self) -> float:
        """The least value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The greatest value."""
        return max(self.values)

    def ratio_to(self, other: Spread) -> float:
        """The median of the ratios within each turn: what else the machine did in a turn met both.

        Raises ValueError if the two were not measured in the same turns.
        """
        return median(ours / theirs for ours, theirs in zip(self.values, other.values, strict=True))

    def __str__(self) -> str:
        return f"{self.median:.0f} ({self.low:.0f}–{self.high:.0f})"
