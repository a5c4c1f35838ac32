"""The search for the lowest quality that is good enough, on scores that rise with quality."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from darkroom.imaging.quality.search import MAX_QUALITY, MIN_QUALITY, find_passing

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
