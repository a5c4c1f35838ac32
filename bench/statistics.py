"""What many measurements of one thing say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, median

EXTREMES = 0.2
"""The share of measurements at either end that a middle leaves out."""

SAID = "median (least–greatest), and the mean of the ratios within each turn without a fifth at either end"
"""How tables say what their times and ratios are."""


def trimmed_mean(values: Iterable[float]) -> float:
    """The mean of at least one value without the extremes.

    A median jumps where something has two speeds: DIT's calls take 15 ms more in every second or third request, and its
    median was the one speed in some runs and the other in others.
    """
    ordered = sorted(values)
    out = round(len(ordered) * EXTREMES)
    return fmean(ordered[out : len(ordered) - out])


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

    @property
    def middle(self) -> float:
        """The mean without the extremes."""
        return trimmed_mean(self.values)

    def ratio_to(self, other: Spread) -> float:
        """The middle of the ratios within each turn: what else the machine did in a turn met both.

        Raises ValueError if the two were not measured in the same turns.
        """
        return trimmed_mean(ours / theirs for ours, theirs in zip(self.values, other.values, strict=True))

    def __str__(self) -> str:
        return f"{self.median:.0f} ({self.low:.0f}–{self.high:.0f})"
