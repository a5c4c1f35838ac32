"""All scenarios. Each is a module of its own, and knows of the others only what it has to wait for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..play import Scenario
from .backlog import Backlog
from .canary import Canary
from .drift import Shift
from .endpoint import DeadEndpoint
from .storm import Storm
from .throttle import Throttle

ALL: Mapping[str, Callable[[Path], Scenario]] = {
    "canary": Canary,
    "drift": lambda _: Shift(),
    "endpoint": lambda _: DeadEndpoint(),
    "throttle": lambda _: Throttle(),
    "backlog": lambda _: Backlog(),
    "storm": lambda _: Storm(),
}
"""By name; each is made with a folder for its files."""
