"""All alarms of a deployment: what the template has, by name."""

from __future__ import annotations

from .alarm import CompositeAlarm, MetricAlarm
from .burning import burning, grouped
from .tickets import tickets

ALARMS: tuple[MetricAlarm, ...] = (*burning(), *tickets())
COMPOSITES: tuple[CompositeAlarm, ...] = tuple(grouped())
