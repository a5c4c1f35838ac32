"""The stack's functions as the template tells the monitor of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...watch.slo import SLOS

OBJECTIVE = 0.999
"""Of functions of which nothing is promised."""


@dataclass(frozen=True, slots=True)
class Function:
    """``name`` is what its metrics and folder are called, ``lambda_name`` what Lambda calls it."""

    name: str
    lambda_name: str
    memory_mb: int

    @property
    def objective(self) -> float:
        """The share of its work that is to succeed (0–1)."""
        found = (slo.objective for slo in SLOS if slo.kind == "success" and self.name in slo.functions)
        return next(found, OBJECTIVE)


def read_functions(text: str) -> dict[str, Function]:
    """The functions of ``transform=stack-Transform-A1:1769,…``, by name; raises ValueError."""
    return {one.name: one for one in map(_read, filter(None, text.split(",")))}


def _read(text: str) -> Function:
    name, _, rest = text.partition("=")
    lambda_name, _, memory = rest.rpartition(":")
    return Function(name, lambda_name, int(memory))


def queues(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each function that takes messages, with the addresses of its dead letters and of its queue."""
    for name in ("ingest", "purge", "infer"):
        dead, queue = environment.get(f"{name.upper()}_DLQ_URL", ""), environment.get(f"{name.upper()}_QUEUE_URL", "")
        if dead and queue:
            yield name, dead, queue
