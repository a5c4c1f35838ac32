"""Service-level objectives of the functions.

One table for the functions that count events (``Timed`` and ``Slow``), for the alarms and for the documentation. It
imports dataclasses alone: every module adds to the cold start of the transform function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Slo:
    """One objective.

    The metrics of ``functions`` are added; ``objective`` is the share of good events over 30 days; ``group`` is the
    alarm that pages; ``runbook`` is a page of docs/guides/runbooks without its extension. For latency, events that take
    longer than ``slow_ms`` are bad; without it, the objective is about success.
    """

    name: str
    title: str
    functions: tuple[str, ...]
    objective: float
    group: str
    runbook: str
    slow_ms: int = 0

    @property
    def kind(self) -> Literal["success", "latency"]:
        """What the objective is about."""
        return "latency" if self.slow_ms else "success"

    @property
    def needs_inference(self) -> bool:
        """Whether it applies to deployments with inference only."""
        return self.group == "analysis"


SLOS = (
    Slo("viewers-success", "Renders of cache misses succeed", ("transform",), 0.999, "viewers", "bad-deploy"),
    Slo("viewers-latency", "Renders take at most 500 ms", ("transform",), 0.95, "viewers", "cache-storm", 500),
    Slo("uploads-success", "Uploads are ingested", ("ingest",), 0.999, "uploads", "conversion-errors"),
    Slo("uploads-latency", "Uploads are ready within 30 s", ("ingest",), 0.95, "uploads", "queue-backlog", 30_000),
    Slo("api-success", "Requests to the HTTP API succeed", ("upload",), 0.999, "uploads", "bad-deploy"),
    Slo("similar-success", "Searches for similar images succeed", ("similar",), 0.999, "similar", "bad-deploy"),
    Slo("analysis-success", "Images are analysed", ("infer",), 0.999, "analysis", "model-down"),
    Slo(
        "analysis-latency",
        "Images are analysed within 5 minutes",
        ("infer",),
        0.95,
        "analysis",
        "queue-backlog",
        300_000,
    ),
)
"""99.9 % success, and 95 % of misses within 500 ms."""

SLOW_MS = {function: slo.slow_ms for slo in SLOS if slo.kind == "latency" for function in slo.functions}
"""Milliseconds above which an event is slow, by function with a latency objective."""

FUNCTIONS = frozenset(function for slo in SLOS for function in slo.functions)
"""Functions with an objective: their events are counted by cold and warm starts, too."""
