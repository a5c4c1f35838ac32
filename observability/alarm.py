"""Alarms as data, before they are resources of the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .alarm_states import Missing
from .measures import Formula, Metric

HOUR_S, DAY_S = 3600, 86_400

RUNBOOK, NOTICED = "Runbook: ", "Users notice: "
"""In the description of an alarm: before the address of its runbook, or before several, such as ``a.md for child, b.md
for other-child``; and before what users notice."""

LATE_ANALYSIS = "new images get their tags later, and those that must be redacted or checked are shown later"
NOT_JUDGED = "nothing; worse results of models would not be found"
NOT_REPAIRED = "nothing at first; faults last longer, as none is repaired automatically"
"""What users notice of several alarms."""

type Action = Literal["", "page", "ticket", "model"]
"""Its topic: people on call, working hours, or those who own the models."""


@dataclass(frozen=True, slots=True)
class MetricAlarm:
    """An alarm on one metric, or on the shown formula of several.

    ``name`` has lower-case words and hyphens, ``description`` is a sentence for the person on call. ``noticed`` is what
    users notice; an alarm that only is a part of others has none. ``threshold`` is a number, or a parameter of the
    template in braces. ``condition`` is one of :data:`observability.template.CONDITIONS`, "" for none beside the level
    of alarms.
    """

    name: str
    description: str
    runbook: str
    metrics: tuple[Metric, ...]
    threshold: float | str
    period_s: int
    comparison: Literal["over", "under"] = "over"
    missing: Missing = "notBreaching"
    formulas: tuple[Formula, ...] = ()
    periods: int = 1
    datapoints: int = 0
    """Of ``periods``; 0 is all of them."""
    condition: str = ""
    action: Action = "ticket"
    noticed: str = ""
    essential: bool = False
    """It exists with ``Alarms=essential`` too, although it does not page."""
    acts_without_data: bool = False
    """It acts when its data ends, not when it is in alarm: a new alarm, which has had no data yet, does not."""

    @property
    def logical_id(self) -> str:
        """The resource of the template."""
        return logical_id(self.name)


@dataclass(frozen=True, slots=True)
class CompositeAlarm:
    """A composite alarm: in alarm if all alarms of any of ``any_of_all`` are, which holds their names.

    ``runbooks`` has the runbook of each alarm in it, by the alarm's name, if they differ.
    """

    name: str
    description: str
    runbook: str
    any_of_all: tuple[tuple[str, ...], ...]
    condition: str = ""
    action: Action = ""
    noticed: str = ""
    suppressor: str = ""
    runbooks: tuple[tuple[str, str], ...] = ()
    essential: bool = False
    """It exists with ``Alarms=essential`` too, although it does not page."""

    @property
    def logical_id(self) -> str:
        """The resource of the template."""
        return logical_id(self.name)


def logical_id(name: str) -> str:
    """Return the logical id of the alarm ``name``."""
    return "".join(word.capitalize() for word in name.split("-")) + "Alarm"
