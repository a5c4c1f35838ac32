"""Service-level objectives: what is promised of which function, and from when on an answer counts as slow.

One table for the functions that count (``Timed`` and ``Slow``), the alarms that are made from it and the pages about
them. It needs the standard library's dataclasses alone: the transform function's cold start pays for every module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Slo:
    """One promise.

    ``functions`` are those whose metrics are added up; ``objective`` is the share of good events of all, over 30 days;
    ``group`` names the alarm that pages for it; ``runbook`` is a file of docs/runbooks without its ending.
    ``slow_ms`` is 0 but for latency, where an event that took longer is a bad one. With ``needs_inference`` the
    promise is made only where models look at pictures.
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
        title="Pictures that the CDN did not have are rendered",
        functions=("transform",),
        kind="success",
        objective=0.999,
        group="viewers",
        runbook="bad-deploy",
    ),
    Slo(
        name="viewers-latency",
        title="Rendering takes no longer than half a second",
        functions=("transform",),
        kind="latency",
        objective=0.95,
        group="viewers",
        runbook="cache-storm",
        slow_ms=500,
    ),
    Slo(
        name="uploads-success",
        title="Uploads are taken in",
        functions=("ingest",),
        kind="success",
        objective=0.999,
        group="uploads",
        runbook="conversion-errors",
    ),
    Slo(
        name="uploads-latency",
        title="Uploads are ready within half a minute",
        functions=("ingest",),
        kind="latency",
        objective=0.95,
        group="uploads",
        runbook="queue-backlog",
        slow_ms=30_000,
    ),
    Slo(
        name="api-success",
        title="The upload API answers",
        functions=("upload", "similar"),
        kind="success",
        objective=0.999,
        group="uploads",
        runbook="bad-deploy",
    ),
    Slo(
        name="analysis-success",
        title="Pictures are looked at by models",
        functions=("infer",),
        kind="success",
        objective=0.999,
        group="analysis",
        runbook="model-down",
        needs_inference=True,
    ),
    Slo(
        name="analysis-latency",
        title="Pictures are looked at within five minutes",
        functions=("infer",),
        kind="latency",
        objective=0.95,
        group="analysis",
        runbook="queue-backlog",
        slow_ms=300_000,
        needs_inference=True,
    ),
)
"""The targets are the field's handbook's: 99.9 % success, and 95 % of misses within 500 ms."""


def slow_ms(function: str) -> int:
    """The milliseconds over which ``function``'s work is slow. KeyError for one of which nothing is promised."""
    return _SLOW_MS[function]


_SLOW_MS = {function: slo.slow_ms for slo in SLOS if slo.kind == "latency" for function in slo.functions}
