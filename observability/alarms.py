"""All alarms of a deployment: what the template has, by name."""

from __future__ import annotations

from .alarm import CompositeAlarm, MetricAlarm
from .burning import burning, grouped
from .pages import pages
from .tickets import composite_tickets, tickets

ALARMS: tuple[MetricAlarm, ...] = (*burning(), *pages(), *tickets())
COMPOSITES: tuple[CompositeAlarm, ...] = (*grouped(), *composite_tickets())
EVERY: tuple[MetricAlarm | CompositeAlarm, ...] = (*ALARMS, *COMPOSITES)


def essential() -> frozenset[str]:
    """Names of the alarms of ``Alarms=essential``: those that page, their parts, and essential tickets."""
    parts = {one.name: {name for every in one.any_of_all for name in every} for one in COMPOSITES}
    found = {one.name for one in EVERY if one.action == "page"}
    found |= {one.name for one in ALARMS if one.essential}
    while more := {part for name in found for part in parts.get(name, ())} - found:
        found |= more
    return frozenset(found)


ESSENTIAL = essential()
