"""The parts of the benchmark: a module each, with ``measure(rounds, progress) -> Section``."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from ..goals import Rounds, Section

type Progress = Callable[[str], None]

PARTS: dict[str, str] = {
    "requests": "bench.suites.requests",
    "formats": "bench.suites.formats",
    "photographs": "bench.suites.photographs",
    "cold": "bench.suites.cold",
    "origin": "bench.suites.origin",
    "memory": "bench.suites.memory",
    "large": "bench.suites.large",
    "scene": "bench.suites.scene",
    "ingest": "bench.suites.ingest",
    "quality": "bench.suites.quality",
    "cost": "bench.suites.cost",
    "storm": "bench.suites.storm",
    "flame": "bench.suites.flame",
    "endpoint": "bench.suites.endpoint",
}
"""Modules by the parts' names, in the page's order; ``cost`` prices what ``requests`` has measured."""

APART = frozenset({"endpoint"})
"""Measured only when named: its peer is itself without batches, and it takes minutes where there is no GPU."""


class Suite(Protocol):
    """What a part's module is."""

    def measure(self, rounds: Rounds, progress: Progress) -> Section:
        """Measure, with few rounds if ``rounds`` is ``quick``."""


class UnknownSuite(Exception):
    """The part's module is not there."""


def load_suite(name: str) -> Suite:
    """The module of the part ``name``; raises NoSuchPart."""
    path = PARTS[name]
    if find_spec(path) is None:
        raise UnknownSuite(f"{name}: there is no {path}")
    module: Suite = import_module(path)
    return module


def list_default_suites() -> list[str]:
    """The parts of a full run, in order."""
    return [name for name in PARTS if name not in APART]
