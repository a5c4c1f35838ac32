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
    longer than ``slow_ms`` are bad. With ``needs_inference`` it applies to deployments with inference only.
    """

    name: str
    title: str
    functions: tuple[str, ...]
    kind: Literal["success", "latency"]
    objective: float
    group: str
    runbook: str
    slow_ms: int = 0
    needs_inference: bool = False


SLOS = (
    Slo(
        name="viewers-success",
        title="Renders of cache misses succeed",
        functions=("transform",),
        kind="success",
        objective=0.999,
        group="viewers",
        runbook="bad-deploy",
    ),
    Slo(
        name="viewers-latency",
        title="Renders take at most 500 ms",
        functions=("transform",),
        kind="latency",
        objective=0.95,
        group="viewers",
        runbook="cache-storm",
        slow_ms=500,
    ),
    Slo(
        name="uploads-success",
        title="Uploads are ingested",
        functions=("ingest",),
        kind="success",
        objective=0.999,
        group="uploads",
        runbook="conversion-errors",
    ),
    Slo(
        name="uploads-latency",
        title="Uploads are ready within 30 s",
        functions=("ingest",),
        kind="latency",
        objective=0.95,
        group="uploads",
        runbook="queue-backlog",
        slow_ms=30_000,
    ),
    Slo(
        name="api-success",
        title="Requests to the HTTP API succeed",
        functions=("upload", "similar"),
        kind="success",
        objective=0.999,
        group="uploads",
        runbook="bad-deploy",
    ),
    Slo(
        name="analysis-success",
        title="Images are analysed",
        functions=("infer",),
        kind="success",
        objective=0.999,
        group="analysis",
        runbook="model-down",
        needs_inference=True,
    ),
    Slo(
        name="analysis-latency",
        title="Images are analysed within 5 minutes",
        functions=("infer",),
        kind="latency",
        objective=0.95,
        group="analysis",
        runbook="queue-backlog",
        slow_ms=300_000,
        needs_inference=True,
    ),
)
"""99.9 % success, and 95 % of misses within 500 ms."""

SLOW_MS = {function: slo.slow_ms for slo in SLOS if slo.kind == "latency" for function in slo.functions}
"""Milliseconds above which an event is slow, by function with a latency objective."""
