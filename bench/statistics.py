"""Statistics of repeated measurements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, median

EXTREMES = 0.2
"""Share of measurements at either end that the trimmed mean leaves out."""

RATIO_NOTE = "median (least–greatest), and the mean of the ratios within each turn without a fifth at either end"
"""Definition of times and ratios, for tables."""


def trimmed_mean(values: Iterable[float]) -> float:
    """Return the mean of at least one value without the extremes.

    A median jumps between the values of a bimodal distribution: every second or third request of DIT's calls takes 15
    ms more, and its median was the one value in some runs and the other in others.
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
        """Build the spread of at least one value."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """The median."""
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
        """Return the trimmed mean of the ratios within each turn, in which other load affects both.

        Raises ValueError if the two were not measured in the same turns.
        """
        return trimmed_mean(ours / theirs for ours, theirs in zip(self.values, other.values, strict=True))

    def __str__(self) -> str:
        return f"{self.median:.0f} ({self.low:.0f}–{self.high:.0f})"
