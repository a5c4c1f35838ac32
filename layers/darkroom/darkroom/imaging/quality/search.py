"""Search for an encoder quality, from 1 to 100, with few encodes.

All searches take a score that rises with the quality, and propose the next quality by a line through known scores.
:func:`find_nearest` serves ``q=auto``, :func:`find_passing` re-encoding, :func:`search_options` both where time allows.
:func:`find_largest_within` searches by size instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

MIN_QUALITY, MAX_QUALITY = 1, 100

MAX_SLOPE_DROP = 8
"""A slope that is less than the usual one by more than this factor is treated as noise."""

MAX_BENT_POINTS = 15.0
"""Within this distance from a target the change of the slope was measured."""

SCORE_PER_QUALITY = 1.0
"""Points of SSIMULACRA2 per step of quality near 80, to start with: 0.6 to 1.4 for two photographs in four formats."""

SCORE_WINDOW = 1.5
"""Accepted distance from the target's score in :func:`search_options`. Within it, an image may score less where a point
costs many bytes, and more where it costs few."""

LOG_BYTES_PER_POINT = 0.052
"""The logarithm of bytes per point of SSIMULACRA2: near 75, the mean over 88 images (± 0.017)."""

MAX_EXTRA_COST = 0.02
"""Options whose cost at the first quality exceeds that of no options by more than this are not tried again."""

MAX_RETRIED_OPTIONS = 2
"""Options that are tried at a quality of their own."""


def propose_quality(
    known: Mapping[int, float],
    target: float,
    slope: float,
    *,
    round_step: Callable[[float], int] = round,
    max_step: int = MAX_QUALITY,
    bend: float = 0.0,
) -> int:
    """Return the quality at which a line through two of the ``known`` scores meets ``target``.

    The two are the nearest on either side of ``target``, or the two nearest where all lie on one side. With one known
    score, or where the line makes no sense, ``slope`` is used, the usual gain per step at ``target``. It grows by the
    share ``bend`` per point below ``target``: a step gains more, the lower the score is.
    """
    near, *others = sorted(known, key=lambda quality: abs(known[quality] - target))
    opposite = [other for other in others if (known[other] < target) != (known[near] < target)]
    for other in [*opposite, *others][:1]:
        measured = (known[near] - known[other]) / (near - other)
        slope, bend = (measured, 0.0) if measured > slope / MAX_SLOPE_DROP else (slope, bend)
    shortfall = target - known[near]
    step = round_step(shortfall / slope * math.exp(-bend * max(-MAX_BENT_POINTS, min(MAX_BENT_POINTS, shortfall))))
    return _clamp(near + max(-max_step, min(max_step, step)), MIN_QUALITY, MAX_QUALITY)


def find_nearest(
    start: int,
    score: Callable[[int], float],
    target: float,
    *,
    encodes: int,
    slope: float,
    tolerance: float,
    max_step: int,
    sure: float = 0.0,
    bend: float = 0.0,
) -> int:
    """Return the quality whose score is within ``tolerance`` of ``target``, or as near as ``encodes`` get.

    ``score`` is called at most ``encodes - 1`` times: the last quality follows from the known scores. So it does where
    a score is within ``sure`` of ``target``. ``bend`` is that of :func:`propose_quality`.
    """
    known: dict[int, float] = {}
    quality = start
    for _ in range(encodes - 1):
        known[quality] = score(quality)
        if abs(known[quality] - target) <= tolerance:
            return quality
        is_sure = abs(known[quality] - target) <= sure
        following = propose_quality(known, target, slope, max_step=max_step, bend=bend)
        if following in known:
            return min(known, key=lambda quality: abs(known[quality] - target))
        quality = following
        if is_sure:
            break
    return quality


def find_passing(start: int, score: Callable[[int], float], least: float, *, encodes: int) -> list[int]:
    """Return the qualities found to score ``least`` or more, each lower than the one before.

    The last one is the lowest there is, unless ``encodes`` did not suffice. ``score`` is called at most that often.
    """
    known: dict[int, float] = {}
    passing: list[int] = []
    quality = start
    for _ in range(encodes):
        known[quality] = score(quality)
        if known[quality] >= least:
            passing.append(quality)
        low = max((one for one in known if known[one] < least), default=MIN_QUALITY - 1)
        high = min(passing, default=MAX_QUALITY + 1)
        if high - low <= 1:
            break
        round_step = math.ceil if low >= MIN_QUALITY else math.floor
        proposed = propose_quality(known, least, SCORE_PER_QUALITY, round_step=round_step)
        quality = _clamp(proposed, low + 1, high - 1)
    return passing


def find_largest_within(most_bytes: int, low: int, high: int, encode: Callable[[int], bytes]) -> bytes:
    """Return the encode of the highest quality from ``low`` to before ``high`` that has at most ``most_bytes``.

    Where none has, return that of ``low``. Bisects: sizes rise with the quality.
    """
    best = encode(min(low, high))
    while high - low > 1:
        quality = (low + high) // 2
        body = encode(quality)
        if len(body) <= most_bytes:
            low, best = quality, body
        else:
            high = quality
    return best


class Candidate(NamedTuple):
    """A set of encoder options by its number, 0 for none, and a quality on the encoder's own scale."""

    options: int
    quality: int


type Measure = Callable[[Candidate], tuple[float, int]]
"""Returns the score and the bytes of a candidate; repeated calls are cached."""


def cost_at_target(size_bytes: int, shortfall: float) -> float:
    """Return the logarithm of the bytes that an image would have if its score were higher by ``shortfall``."""
    return math.log(size_bytes) + LOG_BYTES_PER_POINT * shortfall


def search_options(first: int, options: int, slope: float, target: float, measure: Measure) -> Candidate:
    """Return the candidate with the fewest bytes for its score.

    ``first`` is the quality that meets ``target`` without any of the ``options``; ``slope`` is the usual gain per step.
    At most ``options`` + 5 candidates are measured.
    """
    known: dict[Candidate, tuple[float, float]] = {}

    def score_and_cost(one: Candidate) -> tuple[float, float]:
        if one not in known:
            score, size_bytes = measure(one)
            known[one] = score, cost_at_target(size_bytes, target - score)
        return known[one]

    def cost(one: Candidate) -> float:
        return score_and_cost(one)[1]

    def move(one: Candidate, goal: float, round_step: Callable[[float], int]) -> Candidate:
        scores = {one.quality: score_and_cost(one)[0]}
        return Candidate(one.options, propose_quality(scores, goal, slope, round_step=round_step))

    plain = Candidate(0, first)
    others = sorted((Candidate(number, first) for number in range(1, options + 1)), key=cost)
    for other in others[:MAX_RETRIED_OPTIONS]:
        if cost(other) <= cost(plain) + MAX_EXTRA_COST:
            score_and_cost(move(other, target, round))
    best = _find_cheapest(known, target)
    for goal in (target - SCORE_WINDOW, target + SCORE_WINDOW):
        score_and_cost(move(best, goal, int))
    return _find_cheapest(known, target)


def _find_cheapest(known: Mapping[Candidate, tuple[float, float]], target: float) -> Candidate:
    """Return the cheapest candidate in the window of scores, or the nearest to the target where there is none."""
    near = [one for one, (score, _) in known.items() if abs(score - target) <= SCORE_WINDOW]
    if near:
        return min(near, key=lambda one: known[one][1])
    return min(known, key=lambda one: abs(known[one][0] - target))


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))
