"""All alarms of the template."""

from __future__ import annotations

from .alarm import CompositeAlarm, MetricAlarm
from .burn_rate import burn_rate_alarms, objective_alarms
from .pages import page_alarms
from .tickets import ticket_alarms

ALARMS: tuple[MetricAlarm, ...] = (*burn_rate_alarms(), *page_alarms(), *ticket_alarms())
COMPOSITES: tuple[CompositeAlarm, ...] = (*objective_alarms(),)
EVERY: tuple[MetricAlarm | CompositeAlarm, ...] = (*ALARMS, *COMPOSITES)


def essential() -> frozenset[str]:
    """Return the names of the alarms of ``Alarms=essential``: those that page, their parts, and essential tickets."""
    parts = {one.name: {name for every in one.any_of_all for name in every} for one in COMPOSITES}
    found = {one.name for one in EVERY if one.action == "page"}
    found |= {one.name for one in EVERY if one.essential}
    while more := {part for name in found for part in parts.get(name, ())} - found:
        found |= more
    return frozenset(found)


ESSENTIAL = essential()
