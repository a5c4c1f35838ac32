"""The lowest quality that is still good enough, found by few tries, as photographers bracket an exposure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil

LOWEST, HIGHEST = 1, 100

SCORE_PER_QUALITY = 1.0
"""How much of SSIMULACRA2's scale one step of quality is worth near 80: 0.6 to 1.4 for two photographs in four formats.
It says where to look after one try."""


class Bracket:
    """What is known of a score that rises with quality: ``passing`` is the lowest quality known to be good enough.

    ``wanted`` is the least score that is. ``start`` is the quality of the first try.
    """

    def __init__(self, start: int, wanted: float) -> None:
        self._start = start
        self._wanted = wanted
        self._passing: tuple[int, float] | None = None
        self._failing: tuple[int, float] | None = None

    @property
    def passing(self) -> int | None:
        """The lowest quality that was good enough, None if none was yet."""
        return self._passing[0] if self._passing else None

    def add(self, quality: int, score: float) -> None:
        """That ``quality`` has that ``score``."""
        if score >= self._wanted:
            self._passing = (quality, score)
        else:
            self._failing = (quality, score)

    def next(self) -> int | None:
        """The quality to be tried next, None if the lowest is known."""
        if self._passing and self._failing:
            return self._interpolate(*self._failing, *self._passing)
        if self._passing:
            quality, score = self._passing
            lower = max(LOWEST, quality - max(1, ceil((score - self._wanted) / SCORE_PER_QUALITY)))
            return lower if lower < quality else None
        if self._failing:
            quality, score = self._failing
            higher = min(HIGHEST, quality + max(1, ceil((self._wanted - score) / SCORE_PER_QUALITY)))
            return higher if higher > quality else None
        return self._start

    def _interpolate(self, low: int, low_score: float, high: int, high_score: float) -> int | None:
        if high - low <= 1:
            return None
        share = (self._wanted - low_score) / (high_score - low_score)
        return min(high - 1, max(low + 1, low + ceil(share * (high - low))))


def bracket_quality(start: int, wanted: float, tries: int, score: Callable[[int], float]) -> Iterator[int]:
    """The qualities that were good enough, each lower than the one before, by at most ``tries`` calls of ``score``."""
    bracket = Bracket(start, wanted)
    for _ in range(tries):
        quality = bracket.next()
        if quality is None:
            return
        bracket.add(quality, score(quality))
        if bracket.passing == quality:
            yield quality
