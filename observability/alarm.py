"""What an alarm of ours says, before it is a resource of the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .alarm_states import Missing
from .measures import Formula, Metric

type Action = Literal["", "page", "ticket"]


@dataclass(frozen=True, slots=True)
class MetricAlarm:
    """An alarm over one metric, or over the formula of several that is shown.

    ``name`` is a word with hyphens, ``meaning`` a sentence for the person on call. ``threshold`` is a number, or the
    name of a parameter of the template in braces. ``condition`` is one of :data:`observability.template.CONDITIONS`;
    with an empty one the alarm exists in every deployment whose level of alarms includes it.
    """

    name: str
    description: str
    runbook: str
    metrics: tuple[Metric, ...]
    comparison: Literal["over", "under"]
    threshold: float | str
    period_s: int
    missing: Missing
    formulas: tuple[Formula, ...] = ()
    periods: int = 1
    datapoints: int = 0
    """Of ``periods``; 0 is all of them."""
    condition: str = ""
    action: Action = ""
    essential: bool = False
    """It exists with ``Alarms=essential`` too, although it does not page."""

    @property
    def logical_id(self) -> str:
        """The resource of the template."""
        return logical_id(self.name)


@dataclass(frozen=True, slots=True)
class CompositeAlarm:
    """An alarm over others: in alarm if all alarms of any of ``any_of_all`` are, which are named by their names.

    ``more`` are further alternatives with ``Alarms=all``.
    """

    name: str
    description: str
    runbook: str
    any_of_all: tuple[tuple[str, ...], ...]
    condition: str = ""
    action: Action = ""
    suppressor: str = ""
    more: tuple[tuple[str, ...], ...] = ()

    @property
    def logical_id(self) -> str:
        """The resource of the template."""
        return logical_id(self.name)


def logical_id(name: str) -> str:
    """The logical id of an alarm by its name."""
    return "".join(word.capitalize() for word in name.split("-")) + "Alarm"
