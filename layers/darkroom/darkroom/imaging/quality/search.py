"""``q=auto`` at leisure: the encoder's options that suit the picture, and bytes spent where they bring the most.

Each print is a quality and options, judged. They are compared by the bytes that they would take at the target's score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

SCORE_WINDOW = 1.5
"""How far from the target's score a print may be that is kept: within it, a picture whose next point is dear may have
a point less, and one whose next point is cheap a point more."""

LOG_BYTES_PER_POINT = 0.052
"""The logarithm of bytes that a point of SSIMULACRA2 costs: WebP near 75, the mean over 88 pictures (± 0.017)."""

MAX_EXTRA_COST = 0.02
"""Options that are so much dearer than none at the first try are not tried again."""

MAX_RETRIED_OPTIONS = 2
"""Options that are tried at a quality of their own."""


def cost_at_target(size_bytes: int, shortfall: float) -> float:
    """The logarithm of the bytes that a picture would take if it were better by ``short`` points."""
    return math.log(size_bytes) + LOG_BYTES_PER_POINT * shortfall


class Candidate(NamedTuple):
    """The options' number, 0 for none of them, and the quality on the encoder's own scale."""

    options: int
    quality: int


type Measure = Callable[[Candidate], tuple[float, int]]
"""From a print to its score and its bytes; asked again, it knows."""


def search_options(first: int, options: int, slope: float, target: float, measure: Measure) -> Candidate:
    """The print that takes the fewest bytes for its score.

    ``first`` is the quality that meets ``target`` without any of the ``options``; ``slope`` is what a step of quality
    is worth. ``proof`` is asked for at most ``options`` + 5 prints.
    """
    known: list[Candidate] = []

    def score(one: Candidate) -> float:
        if one not in known:
            known.append(one)
        return measure(one)[0]

    def price(one: Candidate) -> float:
        return cost_at_target(measure(one)[1], target - score(one))

    def moved(one: Candidate, goal: float, whole: Callable[[float], int]) -> Candidate:
        return Candidate(one.options, max(1, min(100, one.quality + whole((goal - score(one)) / slope))))

    plain = Candidate(0, first)
    others = sorted((Candidate(number, first) for number in range(1, options + 1)), key=price)
    for other in others[:MAX_RETRIED_OPTIONS]:
        if price(other) <= price(plain) + MAX_EXTRA_COST:
            score(moved(other, target, round))
    best = _find_cheapest(known, score, price, target)
    for goal in (target - SCORE_WINDOW, target + SCORE_WINDOW):
        score(moved(best, goal, int))
    return _find_cheapest(known, score, price, target)


def _find_cheapest(
    known: Sequence[Candidate], score: Callable[[Candidate], float], price: Callable[[Candidate], float], target: float
) -> Candidate:
    """Of those in the window the one with the lowest price; the one nearest to it if there is none."""
    near = [one for one in known if abs(score(one) - target) <= SCORE_WINDOW]
    return min(near, key=price) if near else min(known, key=lambda one: abs(score(one) - target))
