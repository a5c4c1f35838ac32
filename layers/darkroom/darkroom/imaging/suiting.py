"""``q=auto`` at leisure: the encoder's options that suit the picture, and bytes spent where they bring the most.

Each print is a quality and options, judged. They are compared by the bytes that they would take at the target's score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

WINDOW = 1.5
"""How far from the target's score a print may be that is kept: within it, a picture whose next point is dear may have
a point less, and one whose next point is cheap a point more."""

BYTES_PER_POINT = 0.052
"""The logarithm of bytes that a point of SSIMULACRA2 costs: WebP near 75, the mean over 88 pictures (± 0.017)."""

HOPELESS = 0.02
"""Options that are so much dearer than none at the first try are not tried again."""

MOST_AGAIN = 2
"""Options that are tried at a quality of their own."""


def price_of(size_bytes: int, short: float) -> float:
    """The logarithm of the bytes that a picture would take if it were better by ``short`` points."""
    return math.log(size_bytes) + BYTES_PER_POINT * short


class Print(NamedTuple):
    """The options' number, 0 for none of them, and the quality on the encoder's own scale."""

    options: int
    quality: int


type Proof = Callable[[Print], tuple[float, int]]
"""From a print to its score and its bytes; asked again, it knows."""


def suited(first: int, options: int, slope: float, target: float, proof: Proof) -> Print:
    """The print that takes the fewest bytes for its score.

    ``first`` is the quality that meets ``target`` without any of the ``options``; ``slope`` is what a step of quality
    is worth. ``proof`` is asked for at most ``options`` + 5 prints.
    """
    known: list[Print] = []

    def score(one: Print) -> float:
        if one not in known:
            known.append(one)
        return proof(one)[0]

    def price(one: Print) -> float:
        return price_of(proof(one)[1], target - score(one))

    def moved(one: Print, goal: float, whole: Callable[[float], int]) -> Print:
        return Print(one.options, max(1, min(100, one.quality + whole((goal - score(one)) / slope))))

    plain = Print(0, first)
    others = sorted((Print(number, first) for number in range(1, options + 1)), key=price)
    for other in others[:MOST_AGAIN]:
        if price(other) <= price(plain) + HOPELESS:
            score(moved(other, target, round))
    best = _cheapest(known, score, price, target)
    for goal in (target - WINDOW, target + WINDOW):
        score(moved(best, goal, int))
    return _cheapest(known, score, price, target)


def _cheapest(
    known: Sequence[Print], score: Callable[[Print], float], price: Callable[[Print], float], target: float
) -> Print:
    """Of those in the window the one with the lowest price; the one nearest to it if there is none."""
    near = [one for one in known if abs(score(one) - target) <= WINDOW]
    return min(near, key=price) if near else min(known, key=lambda one: abs(score(one) - target))
