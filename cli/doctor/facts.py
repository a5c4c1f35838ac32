"""Facts of a stack, which :mod:`cli.doctor.reading` reads and :mod:`cli.doctor.checks` examines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from darkroom.aws.switches import Switch


@dataclass(frozen=True, slots=True)
class Unread:
    """A fact that could not be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class SettingsFact:
    """Comparison of the settings document with the edge, or why the document is invalid."""

    version: int = 0
    stale: Sequence[str] = ()
    missing: Sequence[str] = ()
    invalid: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AlarmFact:
    """An alarm by its name and state in CloudWatch; one that ``is_new`` has had no state but its first."""

    name: str
    state: str
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class ProbeFact:
    """The answer to the probe of the CDN: its type, or why it is wrong."""

    answered: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A stack. ``dead_letters`` are numbers of messages by queue; ``updates`` Lambda's configurations by function."""

    name: str
    status: str
    alarm_level: str
    settings: SettingsFact | Unread
    dead_letters: Mapping[str, int] | Unread
    switches: Mapping[str, Switch] | Unread
    alarms: Sequence[AlarmFact] | Unread
    updates: Mapping[str, Mapping[str, Any]] | Unread
    probe: ProbeFact | Unread
