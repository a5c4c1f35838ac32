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

STORM_MINUTES = 6
"""Whole minutes that are looked at for a storm: a little more than lie between two runs of the monitor."""

QUIET_MINUTES = 15
"""Minutes that must be quiet before all pictures are rendered again."""

PRESETS_ONLY_S = 1800.0
"""How long presets-only lasts at most, unless the storm goes on."""

OVERRULED_S = 3600.0
"""How long a switch that a person has turned off is left alone: figures of before would have it on again at once."""


class Move(StrEnum):
    """What to do with a switch. ``ON`` also stands for a longer time of one that is on."""

    ON = "on"
    OFF = "off"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Standing:
    """A switch as it is: whether it is on, whether that was a remedy's doing, and how long it will last (seconds).

    ``overruled`` says that a person has turned it off within the last :data:`OVERRULED_S`.
    """

    on: bool = False
    ours: bool = False
    left_s: float = 0.0
    overruled: bool = False

    @property
    def persons(self) -> bool:
        """Whether it is as a person wants it."""
        return self.overruled or (self.on and not self.ours)


@dataclass(frozen=True, slots=True)
class Turn:
    """A decision about a switch. ``for_s`` is how long it is to be on."""

    move: Move
    reason: str = ""
    for_s: float = 0.0


_LEAVE = Turn(Move.LEAVE)


def recovered(requests: float, faults: float, objective: float) -> bool:
    """Whether a function with these counts of the last :data:`RECOVERED_MINUTES` keeps its ``objective`` (0–1).

    One that had nothing to do keeps it: what died within that time was a fault of that time.
    """
    return not faults or (requests > 0 and 1 - faults / requests >= objective)


def may_go_back(*, code: str, redriven: bool, unreadable: str) -> bool:
    """Whether a letter that died of ``code`` may be sent back by itself: once, and if that can help at all."""
    return not redriven and code != unreadable


def fallback(standing: Standing, calls: float, errors: float, answers: bool | None) -> Turn:
    """What to do with the switch ``fallback``, by the endpoint's ``calls`` and ``errors`` of :data:`ERROR_MINUTES`.

    ``answers`` is whether it answered a call that was made to see; None if none was made.
    """
    if standing.persons:
        return _LEAVE
    if standing.on:
        if answers:
            return Turn(Move.OFF, "the endpoint answers again")
        return _longer(standing, "the endpoint does not answer", FALLBACK_S)
    if calls < MIN_CALLS or errors / calls < MAX_ERROR_SHARE or answers:
        return _LEAVE
    reason = f"{errors:.0f} of {calls:.0f} calls failed within {ERROR_MINUTES} minutes"
    return Turn(Move.ON, reason, FALLBACK_S)


def needs_a_look(standing: Standing, calls: float, errors: float) -> bool:
    """Whether :func:`fallback` would have the endpoint called to see if it answers."""
    return (standing.on and standing.ours) or fallback(standing, calls, errors, None).move is Move.ON


def presets_only(standing: Standing, asked_per_minute: Sequence[float], limit: float) -> Turn:
    """What to do with the switch ``presets-only``.

    ``asked_per_minute`` are the renders that were made or refused by this very switch in each of the last
    :data:`QUIET_MINUTES` whole minutes, the oldest first; minutes that are missing had none. ``limit`` 0 is never.
    """
    if standing.persons:
        return _LEAVE
    peak = max(asked_per_minute[-STORM_MINUTES:], default=0.0)
    if limit and peak > limit:
        reason = f"{peak:.0f} renders a minute, over {limit:.0f}"
        return _longer(standing, reason, PRESETS_ONLY_S)
    if standing.on and (not limit or max(asked_per_minute[-QUIET_MINUTES:], default=0.0) <= limit):
        return Turn(Move.OFF, f"no more than {limit:.0f} renders a minute for {QUIET_MINUTES} minutes")
    return _LEAVE


def _longer(standing: Standing, reason: str, for_s: float) -> Turn:
    """On for ``for_s`` more, once half of that is over: each turn is a line of the audit log."""
    return _LEAVE if standing.on and standing.left_s > for_s / 2 else Turn(Move.ON, reason, for_s)
