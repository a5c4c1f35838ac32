"""All scenarios, a module each. They know each other only by the phases that they wait for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..scenario_run import Scenario
from .backlog import Backlog
from .canary import Canary
from .drift import Drift
from .endpoint import DeadEndpoint
from .throttle import Throttle
from .traffic_spike import TrafficSpike

ALL: Mapping[str, Callable[[Path], Scenario]] = {
    "canary": Canary,
    "drift": lambda _: Drift(),
    "endpoint": lambda _: DeadEndpoint(),
    "throttle": lambda _: Throttle(),
    "backlog": lambda _: Backlog(),
    "traffic-spike": lambda _: TrafficSpike(),
}
"""Factories by name; each receives a folder for its files."""
