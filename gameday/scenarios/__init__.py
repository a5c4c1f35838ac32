"""All scenarios. Each is a module of its own, and knows of the others only what it has to wait for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..scenario_run import Scenario
from .backlog import Backlog
from .canary import Canary
from .drift import Drift
from .endpoint import DeadEndpoint
from .storm import TrafficSpike
from .throttle import Throttle

ALL: Mapping[str, Callable[[Path], Scenario]] = {
    "canary": Canary,
    "drift": lambda _: Drift(),
    "endpoint": lambda _: DeadEndpoint(),
    "throttle": lambda _: Throttle(),
    "backlog": lambda _: Backlog(),
    "storm": lambda _: TrafficSpike(),
}
"""By name; each is made with a folder for its files."""
