"""What can be put right without a person, and when: pure decisions over figures, each with its reason.

A remedy is turned on for a time and ends by itself: a monitor that dies leaves nothing on. What a person has turned, no
remedy touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

RECOVERED_MINUTES = 10
"""How long a function must have been back above its objective before its dead letters are sent back."""

MIN_CALLS = 5
"""Of the endpoint within :data:`ERROR_MINUTES`, below which its error share says nothing. A circuit that is open lets
hardly more through."""

ERROR_MINUTES = 5
MAX_ERROR_SHARE = 0.5
"""Of the endpoint's calls, from which the small models do its work."""

FALLBACK_S = 900.0
"""How long the endpoint is left alone at most, unless it is found not to answer again."""

SPIKE_MINUTES = 6
"""Whole minutes that are looked at for a storm: a little more than lie between two runs of the monitor."""

QUIET_MINUTES = 15
"""Minutes that must be quiet before all pictures are rendered again."""

PRESETS_ONLY_S = 1800.0
"""How long presets-only lasts at most, unless the storm goes on."""

OVERRIDE_S = 3600.0
"""How long a switch that a person has turned off is left alone: figures of before would have it on again at once."""


class SwitchAction(StrEnum):
    """What to do with a switch. ``ON`` also stands for a longer time of one that is on."""

    ON = "on"
    OFF = "off"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class SwitchState:
    """A switch as it is: whether it is on, whether that was a remedy's doing, and how long it will last (seconds).

    ``overruled`` says that a person has turned it off within the last :data:`OVERRULED_S`.
    """

    on: bool = False
    is_automatic: bool = False
    remaining_s: float = 0.0
    is_overridden: bool = False

    @property
    def is_manual(self) -> bool:
        """Whether it is as a person wants it."""
        return self.is_overridden or (self.on and not self.is_automatic)


@dataclass(frozen=True, slots=True)
class SwitchChange:
    """A decision about a switch. ``for_s`` is how long it is to be on."""

    action: SwitchAction
    reason: str = ""
    duration_s: float = 0.0


_NO_CHANGE = SwitchChange(SwitchAction.LEAVE)


def has_recovered(requests: float, faults: float, objective: float) -> bool:
    """Whether a function with these counts of the last :data:`RECOVERED_MINUTES` keeps its ``objective`` (0–1).

    One that had nothing to do keeps it: what died within that time was a fault of that time.
    """
    return not faults or (requests > 0 and 1 - faults / requests >= objective)


def is_redrivable(*, code: str, redriven: bool, unreadable: str) -> bool:
    """Whether a letter that died of ``code`` may be sent back by itself: once, and if that can help at all."""
    return not redriven and code != unreadable


def decide_fallback(state: SwitchState, calls: float, errors: float, responds: bool | None) -> SwitchChange:
    """What to do with the switch ``fallback``, by the endpoint's ``calls`` and ``errors`` of :data:`ERROR_MINUTES`.

    ``answers`` is whether it answered a call that was made to see; None if none was made.
    """
    if state.is_manual:
        return _NO_CHANGE
    if state.on:
        if responds:
            return SwitchChange(SwitchAction.OFF, "the endpoint answers again")
        return _extend(state, "the endpoint does not answer", FALLBACK_S)
    if calls < MIN_CALLS or errors / calls < MAX_ERROR_SHARE or responds:
        return _NO_CHANGE
    reason = f"{errors:.0f} of {calls:.0f} calls failed within {ERROR_MINUTES} minutes"
    return SwitchChange(SwitchAction.ON, reason, FALLBACK_S)


def needs_probe(state: SwitchState, calls: float, errors: float) -> bool:
    """Whether :func:`fallback` would have the endpoint called to see if it answers."""
    return (state.on and state.is_automatic) or decide_fallback(state, calls, errors, None).action is SwitchAction.ON


def decide_presets_only(state: SwitchState, renders_per_minute: Sequence[float], limit: float) -> SwitchChange:
    """What to do with the switch ``presets-only``.

    ``asked_per_minute`` are the renders that were made or refused by this very switch in each of the last
    :data:`QUIET_MINUTES` whole minutes, the oldest first; minutes that are missing had none. ``limit`` 0 is never.
    """
    if state.is_manual:
        return _NO_CHANGE
    peak = max(renders_per_minute[-SPIKE_MINUTES:], default=0.0)
    if limit and peak > limit:
        reason = f"{peak:.0f} renders a minute, over {limit:.0f}"
        return _extend(state, reason, PRESETS_ONLY_S)
    if state.on and (not limit or max(renders_per_minute[-QUIET_MINUTES:], default=0.0) <= limit):
        return SwitchChange(SwitchAction.OFF, f"no more than {limit:.0f} renders a minute for {QUIET_MINUTES} minutes")
    return _NO_CHANGE


def _extend(state: SwitchState, reason: str, duration_s: float) -> SwitchChange:
    """On for ``for_s`` more, once half of that is over: each turn is a line of the audit log."""
    return (
        _NO_CHANGE
        if state.on and state.remaining_s > duration_s / 2
        else SwitchChange(SwitchAction.ON, reason, duration_s)
    )
