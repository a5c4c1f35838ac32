"""Alarms as data, before they are resources of the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .alarm_states import Missing
from .measures import Formula, Metric

HOUR_S, DAY_S = 3600, 86_400

type Action = Literal["", "page", "ticket", "model"]
"""Its topic: people on call, working hours, or those who own the models."""


@dataclass(frozen=True, slots=True)
class MetricAlarm:
    """An alarm on one metric, or on the shown formula of several.

    ``name`` has lower-case words and hyphens, ``description`` is a sentence for the person on call. ``threshold`` is a
    number, or a parameter of the template in braces. ``condition`` is one of
    :data:`observability.template.CONDITIONS`, "" for none beside the level of alarms.
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
