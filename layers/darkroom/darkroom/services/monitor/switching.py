"""Turning switches as a remedy says, each turn written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ...aws.audit import DECISION, AuditLog
from ...aws.switches import Switch, SwitchStore
from ...aws.telemetry.protocol import Observer
from ...watch.remedy import OVERRULED_S, Move, Standing, Turn

US = "monitor"
"""Who turned a switch that a remedy turned."""


@dataclass(frozen=True)
class Hand:
    """Turns switches of ``board``."""

    board: SwitchStore
    audit: AuditLog
    observer: Observer

    def standing(self, name: str, now_s: float) -> Standing:
        """The switch as remedies see it."""
        switch = self.board.read(name)
        if not switch.is_on_at(now_s):
            return Standing(overruled=_overruled(switch, now_s))
        return Standing(True, switch.by == US, switch.until_s - now_s if switch.until_s else float("inf"))

    def turn(self, name: str, turn: Turn, now_s: float) -> str:
        """Do as ``turn`` says; the move. It is written down first: a switch that nobody knows of is the worse half."""
        if turn.move is Move.LEAVE:
            return turn.move
        on = turn.move is Move.ON
        until_s = now_s + turn.for_s if on else 0.0
        self.audit.write(DECISION, name, US, move=turn.move, reason=turn.reason, until_s=int(until_s))
        at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
        self.board.write(name, Switch(on=on, by=US, reason=turn.reason, at=at, until_s=until_s))
        if on:
            self.observer.count("SwitchedOn", switch=name)
        self.observer.log("WARNING", "switched", switch=name, move=turn.move, reason=turn.reason)
        return turn.move


def _overruled(switch: Switch, now_s: float) -> bool:
    """Whether a person has turned it off of late. One that ran out, and one nobody has ever turned, says nothing."""
    if switch.on or not switch.by or switch.by == US:
        return False
    try:
        return now_s - datetime.fromisoformat(switch.at).timestamp() < OVERRULED_S
    except ValueError:
        return False
