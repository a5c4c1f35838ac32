"""Suites of the benchmark: a module each, with ``measure(rounds, progress) -> Section``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..goals import Rounds, Section

type Progress = Callable[[str], None]

SUITES = (
    "requests",
    "formats",
    "photographs",
    "origin",
    "miss",
    "memory",
    "ingest",
    "cost",
    "storing",
    "endpoint",
    "local",
)
"""Names of the modules, in the pages' order; ``cost`` prices the figures of ``requests``."""

TLS_SUITES = ("requests",)
"""Suites that have a second section, measured with ``--tls``."""

EXCLUDED = frozenset({"endpoint", "local"})
"""Suites that run only if named: the peer of ``endpoint`` is the server without batches, and it takes minutes without a
GPU; ``local`` measures a stack that runs already.
"""

ONCE = frozenset({"photographs", "storing"})
"""Suites that only the last of several runs measures: their figures are the same in every run."""


class Suite(Protocol):
    """Interface of a suite's module."""

    def measure(self, rounds: Rounds, progress: Progress) -> Section:
        """Measure, with few rounds if ``rounds`` is ``quick``."""


def list_default_suites(*, times_only: bool = False) -> list[str]:
    """List the suites of a full run, in order; ``times_only``: without those that one run is enough for."""
    return [name for name in SUITES if name not in EXCLUDED and not (times_only and name in ONCE)]
