"""Remedies: when each is turned on and off, at and beside every limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_pipeline.operations.remedy_rules import (
    FALLBACK_S,
    MIN_CALLS,
    PRESETS_ONLY_S,
    QUIET_MINUTES,
    SPIKE_MINUTES,
    SwitchAction,
    SwitchState,
    decide_fallback,
    decide_presets_only,
    has_recovered,
    is_redrivable,
    needs_probe,
)

OFF, OURS = SwitchState(), SwitchState(on=True, is_automatic=True, remaining_s=60)
PERSONS = SwitchState(on=True, is_automatic=False, remaining_s=60)
OVERRULED = SwitchState(is_overridden=True)
JUST_ON = SwitchState(on=True, is_automatic=True, remaining_s=FALLBACK_S - 1)


@pytest.mark.parametrize(
    ("requests", "faults", "is_back"),
    [
        (0, 0, True),  # nothing to do: the failure has an earlier cause
        (0, 1, False),
        (1000, 0, True),
        (1000, 1, True),
        (1000, 2, False),
        (999, 1, False),
    ],
)
def test_a_function_is_back_when_it_keeps_its_objective(requests: float, faults: float, is_back: bool) -> None:
    assert has_recovered(requests, faults, 0.999) is is_back


@pytest.mark.parametrize(
    ("code", "redriven", "goes"),
    [("unavailable", False, True), ("", False, True), ("unavailable", True, False), ("bad-upload", False, False)],
)
def test_a_dlq_message_is_redriven_once_and_only_if_readable(code: str, redriven: bool, goes: bool) -> None:
    assert is_redrivable(code=code, redriven=redriven, unreadable="bad-upload") is goes


@pytest.mark.parametrize(
    ("standing", "calls", "errors", "answers", "move"),
    [
        (OFF, MIN_CALLS - 1, MIN_CALLS - 1, None, SwitchAction.LEAVE),
        (OFF, MIN_CALLS, MIN_CALLS, None, SwitchAction.ON),
        (OFF, MIN_CALLS, MIN_CALLS, False, SwitchAction.ON),
        (OFF, MIN_CALLS, MIN_CALLS, True, SwitchAction.LEAVE),  # it failed, but is back already
        (OFF, 100, 49, None, SwitchAction.LEAVE),
        (OFF, 100, 50, None, SwitchAction.ON),
        (OURS, 0, 0, True, SwitchAction.OFF),
        (OURS, 0, 0, False, SwitchAction.ON),
        (OURS, 0, 0, None, SwitchAction.ON),
        (JUST_ON, 0, 0, False, SwitchAction.LEAVE),
        (PERSONS, 100, 100, False, SwitchAction.LEAVE),
        (PERSONS, 100, 0, True, SwitchAction.LEAVE),
        (OVERRULED, 100, 100, False, SwitchAction.LEAVE),
    ],
)
def test_the_small_models_stand_in_while_the_endpoint_fails(
    standing: SwitchState, calls: float, errors: float, answers: bool | None, move: SwitchAction
) -> None:
    turn = decide_fallback(standing, calls, errors, answers)
    assert turn.action is move
    assert turn.duration_s == (FALLBACK_S if move is SwitchAction.ON else 0)
    assert bool(turn.reason) is (move is not SwitchAction.LEAVE)


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
    standing: SwitchState, calls: float, errors: float, looks: bool
) -> None:
    assert needs_probe(standing, calls, errors) is looks


QUIET = [0.0] * QUIET_MINUTES


def minutes(*last: float) -> list[float]:
    return [*QUIET, *last][-QUIET_MINUTES:]


@pytest.mark.parametrize(
    ("standing", "asked", "limit", "move"),
    [
        (OFF, [], 100, SwitchAction.LEAVE),
        (OFF, minutes(100), 100, SwitchAction.LEAVE),
        (OFF, minutes(101), 100, SwitchAction.ON),
        (OFF, minutes(101), 0, SwitchAction.LEAVE),
        (OFF, minutes(101, *[0] * (SPIKE_MINUTES - 1)), 100, SwitchAction.ON),
        (OFF, minutes(101, *[0] * SPIKE_MINUTES), 100, SwitchAction.LEAVE),
        (OURS, minutes(101, *[0] * SPIKE_MINUTES), 100, SwitchAction.LEAVE),
        (OURS, minutes(101, *[0] * (QUIET_MINUTES - 1)), 100, SwitchAction.LEAVE),
        (OURS, minutes(101, *[0] * QUIET_MINUTES), 100, SwitchAction.OFF),
        (OURS, minutes(101), 100, SwitchAction.ON),
        (
            SwitchState(on=True, is_automatic=True, remaining_s=PRESETS_ONLY_S * 0.6),
            minutes(101),
            100,
            SwitchAction.LEAVE,
        ),
        (OURS, minutes(101), 0, SwitchAction.OFF),
        (PERSONS, minutes(101), 100, SwitchAction.LEAVE),
        (PERSONS, QUIET, 100, SwitchAction.LEAVE),
        (OVERRULED, minutes(101), 100, SwitchAction.LEAVE),
    ],
)
def test_a_burst_of_renders_turns_on_load_shedding(
    standing: SwitchState, asked: list[float], limit: float, move: SwitchAction
) -> None:
    assert decide_presets_only(standing, asked, limit).action is move


@given(st.lists(st.floats(0, 1e6), max_size=QUIET_MINUTES), st.floats(0, 1e6))
def test_nothing_is_turned_off_that_is_off(asked: list[float], limit: float) -> None:
    assert decide_presets_only(OFF, asked, limit).action is not SwitchAction.OFF
    assert decide_fallback(OFF, sum(asked), limit, None).action is not SwitchAction.OFF
