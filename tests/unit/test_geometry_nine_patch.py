"""Fit a nine-patch around an image."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.plan.geometry.nine_patch import Segment, measure_content_margins, stretch_segments


def marks(text: str) -> list[bool]:
    return [letter == "#" for letter in text]


@pytest.mark.parametrize(
    ("content", "around"),
    [("..##.", (2, 1)), ("#####", (0, 0)), (".....", (0, 0)), ("#....", (0, 4)), (".#.#.", (1, 1)), ("", (0, 0))],
)
def test_room_around_the_content(content: str, around: tuple[int, int]) -> None:
    assert measure_content_margins(marks(content)) == around


@pytest.mark.parametrize(
    ("stretches", "side_px", "runs"),
    [
        ("..#..", 10, [Segment(0, 2, 0, 2), Segment(2, 1, 2, 6), Segment(3, 2, 8, 2)]),
        ("#.#", 9, [Segment(0, 1, 0, 4), Segment(1, 1, 4, 1), Segment(2, 1, 5, 4)]),
        (
            ".#.##.",
            9,
            [Segment(0, 1, 0, 1), Segment(1, 1, 1, 2), Segment(2, 1, 3, 1), Segment(3, 2, 4, 4), Segment(5, 1, 8, 1)],
        ),
        ("###", 7, [Segment(0, 3, 0, 7)]),
        ("...", 7, [Segment(0, 3, 0, 3)]),
        ("..#..", 4, [Segment(0, 2, 0, 2), Segment(3, 2, 2, 2)]),
        ("..#..", 2, [Segment(0, 2, 0, 1), Segment(3, 2, 1, 1)]),
        ("....", 2, [Segment(0, 4, 0, 2)]),
    ],
)
def test_runs(stretches: str, side_px: int, runs: list[Segment]) -> None:
    assert stretch_segments(marks(stretches), side_px) == runs


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 500))
def test_they_follow_each_other_and_fill_the_side(stretches: list[bool], side_px: int) -> None:
    runs = stretch_segments(stretches, side_px)
    assert [run.target for run in runs] == [sum(run.target_length for run in runs[:at]) for at in range(len(runs))]
    assert sum(run.target_length for run in runs) == (side_px if any(stretches) else min(side_px, len(stretches)))
    if stretches.count(False) <= side_px and any(stretches):
        fixed = [run for run in runs if not stretches[run.start]]
        assert all(abs(run.target_length - run.length) <= 1 for run in fixed)
