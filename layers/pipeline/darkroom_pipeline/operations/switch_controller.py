"""Change switches for remedies, with an audit entry each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from darkroom.aws.switches import Switch
from darkroom.aws.telemetry import Observer

from ..aws.audit import DECISION, AuditLog
from ..aws.switch_store import SwitchStore
from .remedy_rules import OVERRIDE_S, SwitchAction, SwitchChange, SwitchState

ACTOR = "monitor"
"""The actor of automatic changes in switches and in the audit log."""


@dataclass(frozen=True)
class SwitchController:
    """Changes switches of ``board``."""

    board: SwitchStore
    audit: AuditLog
    observer: Observer

    def read_state(self, name: str, now_s: float) -> SwitchState:
        """Return the state of the switch ``name``."""
        switch = self.board.read(name)
        if not switch.is_on_at(now_s):
            return SwitchState(is_overridden=_is_overridden(switch, now_s))
        return SwitchState(True, switch.by == ACTOR, switch.until_s - now_s if switch.until_s else float("inf"))

    def apply(self, name: str, change: SwitchChange, now_s: float) -> str:
        """Apply ``change``; return its action. The audit entry is written first, so that no change is unrecorded."""
        if change.action is SwitchAction.LEAVE:
            return change.action
        on = change.action is SwitchAction.ON
        until_s = now_s + change.duration_s if on else 0.0
        self.audit.write(DECISION, name, ACTOR, move=change.action, reason=change.reason, until_s=int(until_s))
        at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
        self.board.write(name, Switch(on=on, by=ACTOR, reason=change.reason, at=at, until_s=until_s))
        if on:
            self.observer.count("SwitchedOn", switch=name)
        self.observer.log("WARNING", "switch changed", switch=name, move=change.action, reason=change.reason)
        return change.action


def _is_overridden(switch: Switch, now_s: float) -> bool:
    """Whether an operator has turned it off recently; false for an expired switch and one that was never changed."""
    if switch.on or not switch.by or switch.by == ACTOR:
        return False
    try:
        return now_s - datetime.fromisoformat(switch.at).timestamp() < OVERRIDE_S
    except ValueError:
        return False
