"""Remedies: when each is turned on and off, at and beside every limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.watch.remedy import (
    FALLBACK_S,
    MIN_CALLS,
    PRESETS_ONLY_S,
    QUIET_MINUTES,
    STORM_MINUTES,
    Move,
    Standing,
    fallback,
    may_go_back,
    needs_a_look,
    presets_only,
    recovered,
)

OFF, OURS = Standing(), Standing(on=True, ours=True, left_s=60)
PERSONS = Standing(on=True, ours=False, left_s=60)
OVERRULED = Standing(overruled=True)
JUST_ON = Standing(on=True, ours=True, left_s=FALLBACK_S - 1)


@pytest.mark.parametrize(
    ("requests", "faults", "is_back"),
    [
        (0, 0, True),  # nothing to do: what died, died of something earlier
        (0, 1, False),
        (1000, 0, True),
        (1000, 1, True),
        (1000, 2, False),
        (999, 1, False),
    ],
)
def test_a_function_is_back_when_it_keeps_its_objective(requests: float, faults: float, is_back: bool) -> None:
    assert recovered(requests, faults, 0.999) is is_back


@pytest.mark.parametrize(
    ("code", "redriven", "goes"),
    [("unavailable", False, True), ("", False, True), ("unavailable", True, False), ("bad-upload", False, False)],
)
def test_a_letter_goes_back_once_and_only_if_it_can_be_read(code: str, redriven: bool, goes: bool) -> None:
    assert may_go_back(code=code, redriven=redriven, unreadable="bad-upload") is goes


@pytest.mark.parametrize(
    ("standing", "calls", "errors", "answers", "move"),
    [
        (OFF, MIN_CALLS - 1, MIN_CALLS - 1, None, Move.LEAVE),
        (OFF, MIN_CALLS, MIN_CALLS, None, Move.ON),
        (OFF, MIN_CALLS, MIN_CALLS, False, Move.ON),
        (OFF, MIN_CALLS, MIN_CALLS, True, Move.LEAVE),  # it failed, but is back already
        (OFF, 100, 49, None, Move.LEAVE),
        (OFF, 100, 50, None, Move.ON),
        (OURS, 0, 0, True, Move.OFF),
        (OURS, 0, 0, False, Move.ON),
        (OURS, 0, 0, None, Move.ON),
        (JUST_ON, 0, 0, False, Move.LEAVE),
        (PERSONS, 100, 100, False, Move.LEAVE),
        (PERSONS, 100, 0, True, Move.LEAVE),
        (OVERRULED, 100, 100, False, Move.LEAVE),
    ],
)
def test_the_small_models_stand_in_while_the_endpoint_fails(
    standing: Standing, calls: float, errors: float, answers: bool | None, move: Move
) -> None:
    turn = fallback(standing, calls, errors, answers)
    assert turn.move is move
    assert turn.for_s == (FALLBACK_S if move is Move.ON else 0)
    assert bool(turn.reason) is (move is not Move.LEAVE)


@pytest.mark.parametrize(
    ("standing", "calls", "errors", "looks"),
    [
        (OFF, 100, 0, False),
        (OFF, 100, 50, True),
        (OURS, 0, 0, True),
        (PERSONS, 100, 100, False),
        (OVERRULED, 9, 9, False),
    ],
)
def test_the_endpoint_is_called_only_to_decide_something(
    standing: Standing, calls: float, errors: float, looks: bool
) -> None:
    assert needs_a_look(standing, calls, errors) is looks


QUIET = [0.0] * QUIET_MINUTES


def minutes(*last: float) -> list[float]:
    return [*QUIET, *last][-QUIET_MINUTES:]


@pytest.mark.parametrize(
    ("standing", "asked", "limit", "move"),
    [
        (OFF, [], 100, Move.LEAVE),
        (OFF, minutes(100), 100, Move.LEAVE),
        (OFF, minutes(101), 100, Move.ON),
        (OFF, minutes(101), 0, Move.LEAVE),
        (OFF, minutes(101, *[0] * (STORM_MINUTES - 1)), 100, Move.ON),
        (OFF, minutes(101, *[0] * STORM_MINUTES), 100, Move.LEAVE),
        (OURS, minutes(101, *[0] * STORM_MINUTES), 100, Move.LEAVE),
        (OURS, minutes(101, *[0] * (QUIET_MINUTES - 1)), 100, Move.LEAVE),
        (OURS, minutes(101, *[0] * QUIET_MINUTES), 100, Move.OFF),
        (OURS, minutes(101), 100, Move.ON),
        (Standing(on=True, ours=True, left_s=PRESETS_ONLY_S * 0.6), minutes(101), 100, Move.LEAVE),
        (OURS, minutes(101), 0, Move.OFF),
        (PERSONS, minutes(101), 100, Move.LEAVE),
        (PERSONS, QUIET, 100, Move.LEAVE),
        (OVERRULED, minutes(101), 100, Move.LEAVE),
    ],
)
def test_a_storm_of_renders_leaves_the_presets(
    standing: Standing, asked: list[float], limit: float, move: Move
) -> None:
    assert presets_only(standing, asked, limit).move is move


@given(st.lists(st.floats(0, 1e6), max_size=QUIET_MINUTES), st.floats(0, 1e6))
def test_nothing_is_turned_off_that_is_off(asked: list[float], limit: float) -> None:
    assert presets_only(OFF, asked, limit).move is not Move.OFF
    assert fallback(OFF, sum(asked), limit, None).move is not Move.OFF
