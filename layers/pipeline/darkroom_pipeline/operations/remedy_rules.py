"""Decisions of automatic remedies from metrics, each with its reason. Pure.

A remedy is turned on for a limited time, so that nothing stays on if the monitor stops. Remedies never change a switch
that an operator has set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

RECOVERED_MINUTES = 10
"""Minutes for which a function must meet its objective before its dead letters are redriven."""

MIN_CALLS = 5
"""Minimum number of endpoint calls in :data:`ERROR_MINUTES`; an open circuit allows hardly more."""

ERROR_MINUTES = 5
MAX_ERROR_SHARE = 0.5
"""Share of failed endpoint calls from which the small models are used."""

FALLBACK_S = 900.0
"""How long the endpoint is not called, unless a probe fails again."""

SPIKE_MINUTES = 6
"""Complete minutes that are examined for a traffic spike: slightly more than the interval of the monitor."""

QUIET_MINUTES = 15
"""Minutes under the limit before everything is rendered again."""

PRESETS_ONLY_S = 1800.0
"""How long load shedding lasts, unless the spike continues."""

OVERRIDE_S = 3600.0
"""How long a switch that an operator turned off is not changed: earlier metrics would turn it on again at once."""


class SwitchAction(StrEnum):
    """Action on a switch. ``ON`` also extends the time of one that is on."""

    ON = "on"
    OFF = "off"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class SwitchState:
    """State of a switch: on, set by a remedy (``is_automatic``), and its remaining seconds.

    ``is_overridden``: an operator has turned it off within the last :data:`OVERRIDE_S`.
    """

    on: bool = False
    is_automatic: bool = False
    remaining_s: float = 0.0
    is_overridden: bool = False

    @property
    def is_manual(self) -> bool:
        """Whether an operator has set it."""
        return self.is_overridden or (self.on and not self.is_automatic)


@dataclass(frozen=True, slots=True)
class SwitchChange:
    """A decision about a switch. ``duration_s`` is how long it is to be on."""

    action: SwitchAction
    reason: str = ""
    duration_s: float = 0.0


_NO_CHANGE = SwitchChange(SwitchAction.LEAVE)


def has_recovered(requests: float, faults: float, objective: float) -> bool:
    """Whether a function with these counts of the last :data:`RECOVERED_MINUTES` meets its ``objective`` (0–1).

    Without any requests it does.
    """
    return not faults or (requests > 0 and 1 - faults / requests >= objective)


def is_redrivable(*, code: str, redriven: bool, unreadable: str) -> bool:
    """Whether a dead letter with ``code`` is redriven automatically: once, and unless it is unreadable."""
    return not redriven and code != unreadable


def decide_fallback(state: SwitchState, calls: float, errors: float, responds: bool | None) -> SwitchChange:
    """Decide on the switch ``fallback`` by the endpoint's ``calls`` and ``errors`` of :data:`ERROR_MINUTES`.

    ``responds`` is the result of a probe, None without one.
    """
    if state.is_manual:
        return _NO_CHANGE
    if state.on:
        if responds:
            return SwitchChange(SwitchAction.OFF, "the endpoint responds again")
        return _extend(state, "the endpoint does not respond", FALLBACK_S)
    if calls < MIN_CALLS or errors / calls < MAX_ERROR_SHARE or responds:
        return _NO_CHANGE
    reason = f"{errors:.0f} of {calls:.0f} calls failed within {ERROR_MINUTES} minutes"
    return SwitchChange(SwitchAction.ON, reason, FALLBACK_S)


def needs_probe(state: SwitchState, calls: float, errors: float) -> bool:
    """Whether :func:`decide_fallback` needs a probe of the endpoint."""
    return (state.on and state.is_automatic) or decide_fallback(state, calls, errors, None).action is SwitchAction.ON


def decide_presets_only(state: SwitchState, renders_per_minute: Sequence[float], limit: float) -> SwitchChange:
    """Decide on the switch ``presets-only``.

    ``renders_per_minute`` has the renders of each of the last :data:`QUIET_MINUTES` complete minutes, with those that
    this switch refused, oldest first; missing minutes had none. ``limit`` 0 disables load shedding.
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
    """Extend by ``duration_s`` once half of it is over: each change is an audit entry."""
    return (
        _NO_CHANGE
        if state.on and state.remaining_s > duration_s / 2
        else SwitchChange(SwitchAction.ON, reason, duration_s)
    )
