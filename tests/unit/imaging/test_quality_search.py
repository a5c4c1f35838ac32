"""Search for encoder options: the candidate with the fewest bytes for its score."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.imaging.quality.search import (
    LOG_BYTES_PER_POINT,
    MAX_RETRIED_OPTIONS,
    SCORE_WINDOW,
    Candidate,
    Measure,
    search_options,
)

TARGET = 75.0
SLOPE = 0.8


class Bench:
    """Candidates whose score rises by :data:`SLOPE` a step, and whose bytes by ``cost`` times the usual per point.

    Each of the options has its share of the bytes, and is so much better or worse at the same quality.
    """

    def __init__(self, shares: Sequence[float], better: Sequence[float], cost: float = 1.0) -> None:
        self.shares, self.better, self.cost = shares, better, cost
        self.made: list[Candidate] = []

    def measure(self, one: Candidate) -> tuple[float, int]:
        if one not in self.made:
            self.made.append(one)
        score = TARGET + SLOPE * (one.quality - 80) + self.better[one.options]
        grown = math.exp(self.cost * LOG_BYTES_PER_POINT * (score - TARGET))
        return score, round(1_000_000 * self.shares[one.options] * grown)

    def search(self) -> Candidate:
        return search_options(80, len(self.shares) - 1, SLOPE, TARGET, self.measure)


@pytest.mark.parametrize("least", range(4))
def test_the_options_with_the_least_bytes_are_taken(least: int) -> None:
    bench = Bench([0.9 if number == least else 1.0 for number in range(4)], [0.0, 3.0, -3.0, 0.5])
    assert bench.search().options == least
    assert abs(bench.measure(bench.search())[0] - TARGET) <= SCORE_WINDOW


def test_what_is_hopeless_is_tried_once() -> None:
    bench = Bench([1.0, 1.2, 1.01, 1.3], [0.0] * 4)
    bench.search()
    assert [sum(one.options == number for one in bench.made) for number in range(4)] == [3, 1, 1, 1]
    shifted = Bench([1.0, 1.2, 1.01, 1.3], [0.0, 4.0, 4.0, 4.0])
    shifted.search()
    assert [sum(one.options == number for one in shifted.made) for number in range(4)] == [3, 1, 2, 1]


@pytest.mark.parametrize(("cost", "side"), [(0.5, 1), (2.0, -1)])
def test_bytes_are_spent_where_a_point_is_cheap(cost: float, side: int) -> None:
    bench = Bench([1.0, 1.1], [0.0, 0.0], cost)
    off = bench.measure(bench.search())[0] - TARGET
    assert side * off == pytest.approx(SLOPE)


def _unevenly(scores: Sequence[float]) -> Measure:
    return lambda one: (scores[(one.options * 31 + one.quality) % len(scores)], 1 + one.quality)


@given(
    scores=st.lists(st.floats(-50, 100), min_size=1, max_size=60),
    first=st.integers(1, 100),
    options=st.integers(1, 4),
    slope=st.floats(0.05, 2),
)
def test_the_search_ends_for_any_scores(scores: list[float], first: int, options: int, slope: float) -> None:
    asked: set[Candidate] = set()
    measure = _unevenly(scores)

    def counted(one: Candidate) -> tuple[float, int]:
        asked.add(one)
        return measure(one)

    best = search_options(first, options, slope, TARGET, counted)
    assert best in asked
    assert len(asked) <= 1 + options + MAX_RETRIED_OPTIONS + 2
    assert all(1 <= one.quality <= 100 for one in asked)
    if any(abs(measure(one)[0] - TARGET) <= SCORE_WINDOW for one in asked):
        assert abs(measure(best)[0] - TARGET) <= SCORE_WINDOW
