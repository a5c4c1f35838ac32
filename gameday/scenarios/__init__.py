"""All scenarios, a module each. They know each other only by the phases that they wait for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..scenario_run import Scenario
from .backlog import Backlog
from .bulk_import import BulkImport
from .canary import Canary
from .drift import Drift
from .endpoint import DeadEndpoint
from .slow_endpoint import SlowEndpoint
from .throttle import Throttle
from .traffic_spike import TrafficSpike
from .training import Training

ALL: Mapping[str, Callable[[Path], Scenario]] = {
    "canary": Canary,
    "drift": lambda _: Drift(),
    "endpoint": lambda _: DeadEndpoint(),
    "slow-endpoint": lambda _: SlowEndpoint(),
    "bulk-import": lambda _: BulkImport(),
    "training": Training,
    "throttle": lambda _: Throttle(),
    "backlog": lambda _: Backlog(),
    "traffic-spike": lambda _: TrafficSpike(),
}
"""Factories by name; each receives a folder for its files."""
