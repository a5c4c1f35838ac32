"""Functions and queues of the stack, from the monitor's environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from darkroom.environment import MonitorEnvironment
from darkroom.slo import SLOS

OBJECTIVE = 0.999
"""Success objective of functions without one in SLOS."""


@dataclass(frozen=True, slots=True)
class Function:
    """``name`` is that of its metrics and folder, ``lambda_name`` that of Lambda."""

    name: str
    lambda_name: str
    memory_mb: int

    @property
    def objective(self) -> float:
        """The success objective (0–1)."""
        found = (slo.objective for slo in SLOS if slo.kind == "success" and self.name in slo.functions)
        return next(found, OBJECTIVE)


def parse_functions(text: str) -> dict[str, Function]:
    """Parse ``transform=stack-Transform-A1:1769,…`` into functions by name. Raises ValueError."""
    return {one.name: one for one in map(_parse_function, filter(None, text.split(",")))}


def _parse_function(text: str) -> Function:
    name, _, rest = text.partition("=")
    lambda_name, _, memory = rest.rpartition(":")
    return Function(name, lambda_name, int(memory))


class QueueUrls(NamedTuple):
    """URLs of a function's dead letter queue, its queue, and its priority queue ("" without one)."""

    dead_letters: str
    queue: str
    urgent: str = ""


def queue_urls(environment: MonitorEnvironment) -> dict[str, QueueUrls]:
    """Return the queues of each function that consumes messages."""
    found = {
        "ingest": QueueUrls(
            environment.ingest_dlq_url, environment.ingest_queue_url, environment.ingest_priority_queue_url
        ),
        "purge": QueueUrls(environment.purge_dlq_url, environment.purge_queue_url),
        "refine": QueueUrls(environment.refine_dlq_url, environment.refine_queue_url),
        "infer": QueueUrls(
            environment.infer_dlq_url,
            environment.infer_queue_url,
            environment.infer_priority_queue_url,
        ),
    }
    return {name: urls for name, urls in found.items() if urls.dead_letters and urls.queue}
