"""Turning switches as a remedy says, each turn written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ...aws.audit import DECISION, AuditLog
from ...aws.switches import Switch, SwitchStore
from ...aws.telemetry import Observer
from ...operations.remedy_rules import OVERRIDE_S, SwitchAction, SwitchChange, SwitchState

ACTOR = "monitor"
"""Who turned a switch that a remedy turned."""


@dataclass(frozen=True)
class SwitchController:
    """Turns switches of ``board``."""

    board: SwitchStore
    audit: AuditLog
    observer: Observer

    def read_state(self, name: str, now_s: float) -> SwitchState:
        """The switch as remedies see it."""
        switch = self.board.read(name)
        if not switch.is_on_at(now_s):
            return SwitchState(is_overridden=_is_overridden(switch, now_s))
        return SwitchState(True, switch.by == ACTOR, switch.until_s - now_s if switch.until_s else float("inf"))

    def apply(self, name: str, change: SwitchChange, now_s: float) -> str:
        """Do as ``turn`` says; the move. It is written down first: a switch that nobody knows of is the worse half."""
        if change.action is SwitchAction.LEAVE:
            return change.action
        on = change.action is SwitchAction.ON
        until_s = now_s + change.duration_s if on else 0.0
        self.audit.write(DECISION, name, ACTOR, move=change.action, reason=change.reason, until_s=int(until_s))
        at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
        self.board.write(name, Switch(on=on, by=ACTOR, reason=change.reason, at=at, until_s=until_s))
        if on:
            self.observer.count("SwitchedOn", switch=name)
        self.observer.log("WARNING", "switched", switch=name, move=change.action, reason=change.reason)
        return change.action


def _is_overridden(switch: Switch, now_s: float) -> bool:
    """Whether a person has turned it off of late. One that ran out, and one nobody has ever turned, says nothing."""
    if switch.on or not switch.by or switch.by == ACTOR:
        return False
    try:
        return now_s - datetime.fromisoformat(switch.at).timestamp() < OVERRIDE_S
    except ValueError:
        return False
