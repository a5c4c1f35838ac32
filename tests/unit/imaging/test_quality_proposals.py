"""Quality searches over scores and sizes that rise with quality."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.imaging.quality.search import (
    MAX_QUALITY,
    MIN_QUALITY,
    find_largest_within,
    find_nearest,
    find_passing,
    propose_quality,
)

RISING = st.lists(st.floats(0.0, 3.0, width=32), min_size=MAX_QUALITY + 1, max_size=MAX_QUALITY + 1).map(
    lambda steps: list(accumulate(steps))
)
"""The score of each quality."""

QUALITIES = st.integers(MIN_QUALITY, MAX_QUALITY)


@given(scores=RISING, start=QUALITIES, wanted=st.floats(0.0, 150.0), tries=st.integers(0, 8))
def test_few_tries_find_what_is_good_enough_and_never_twice_the_same(
    scores: list[float], start: int, wanted: float, tries: int
) -> None:
    asked: list[int] = []

    def score(quality: int) -> float:
        asked.append(quality)
        return scores[quality]

    found = find_passing(start, score, wanted, encodes=tries)
    assert len(asked) == len(set(asked)) <= tries
    assert all(MIN_QUALITY <= quality <= MAX_QUALITY for quality in asked)
    assert found == [quality for quality in asked if scores[quality] >= wanted]
    assert all(lower < higher for higher, lower in pairwise(found))


@given(scores=RISING, start=QUALITIES, wanted=st.floats(0.0, 150.0))
def test_without_a_bound_the_lowest_is_found(scores: list[float], start: int, wanted: float) -> None:
    found = find_passing(start, scores.__getitem__, wanted, encodes=1000)
    good = [quality for quality in range(MIN_QUALITY, MAX_QUALITY + 1) if scores[quality] >= wanted]
    assert found[-1:] == good[:1]


def test_a_score_that_rises_evenly_takes_few_tries() -> None:
    for slope in (0.7, 1.0, 1.4):
        asked: list[int] = []

        def score(quality: int, slope: float = slope, asked: list[int] = asked) -> float:
            asked.append(quality)
            return quality * slope

        assert find_passing(80, score, 74 * slope, encodes=1000)[-1] == 74
        assert len(asked) <= 4, slope


@given(
    sizes=st.lists(st.integers(0, 9), min_size=MAX_QUALITY + 1, max_size=MAX_QUALITY + 1).map(
        lambda steps: list(accumulate(steps))
    ),
    most_bytes=st.integers(0, 900),
    low=QUALITIES,
    high=QUALITIES,
)
def test_the_highest_quality_within_a_limit_is_found(sizes: list[int], most_bytes: int, low: int, high: int) -> None:
    best = find_largest_within(most_bytes, low, high, lambda quality: bytes(sizes[quality]))
    fitting = [sizes[quality] for quality in range(low, high) if sizes[quality] <= most_bytes]
    assert len(best) == max(fitting, default=sizes[min(low, high)])


def test_a_quality_is_proposed_where_a_line_through_the_nearest_scores_meets_the_target() -> None:
    assert propose_quality({70: 70.0}, 75.0, 0.5) == 80
    assert propose_quality({70: 70.0, 80: 72.0}, 75.0, 0.5) == 95
    assert propose_quality({70: 70.0, 80: 72.0, 90: 77.0}, 75.0, 0.5) == 86
    assert propose_quality({70: 70.0, 80: 70.1}, 75.0, 0.5) == 90, "a slope of 0.01 is noise"
    assert propose_quality({70: 70.0}, 75.0, 0.5, max_step=4) == 74
    assert propose_quality({70: 70.0}, 175.0, 0.5) == MAX_QUALITY


def test_a_score_that_rises_faster_where_it_is_low_takes_a_shorter_step_up() -> None:
    assert propose_quality({70: 65.0}, 75.0, 0.5, bend=0.07) == 80, "20 steps, by e^-0.7"
    assert propose_quality({70: 80.0}, 75.0, 0.5, bend=0.07) == 56, "10 steps, by e^0.35"
    assert propose_quality({60: -60.0}, 75.0, 5.0, bend=0.07) == 69, "as much as at 15 points"
    assert propose_quality({70: 65.0, 74: 68.0}, 75.0, 0.5, bend=0.07) == 83, "two scores define the slope"


def find_counting(score_at_start: float, sure: float) -> tuple[int, int]:
    """Return the quality that is found from 80 on, where a step gains 0.5 points, and the number of scores."""
    asked: list[int] = []

    def score(quality: int) -> float:
        asked.append(quality)
        return score_at_start + 0.5 * (quality - 80)

    found = find_nearest(80, score, 75.0, encodes=4, slope=1.0, tolerance=0.7, max_step=25, sure=sure)
    return found, len(asked)


@pytest.mark.parametrize(
    ("score", "sure", "found"),
    [
        (75.5, 5.0, (80, 1)),  # near enough
        (72.0, 5.0, (83, 1)),  # the next is taken without a score
        (78.0, 5.0, (77, 1)),
        (72.0, 0.0, (86, 3)),
        (67.0, 5.0, (96, 2)),  # 80 is too far off; 88 is not
    ],
)
def test_a_small_step_is_not_verified(score: float, sure: float, found: tuple[int, int]) -> None:
    assert find_counting(score, sure) == found
