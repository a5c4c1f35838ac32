"""The stack's functions as the template tells the monitor of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...environment import MonitorEnvironment
from ...operations.slo import SLOS

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


def parse_functions(text: str) -> dict[str, Function]:
    """The functions of ``transform=stack-Transform-A1:1769,…``, by name; raises ValueError."""
    return {one.name: one for one in map(_parse_function, filter(None, text.split(",")))}


def _parse_function(text: str) -> Function:
    name, _, rest = text.partition("=")
    lambda_name, _, memory = rest.rpartition(":")
    return Function(name, lambda_name, int(memory))


class QueueUrls(NamedTuple):
    """URLs of a function's dead letters, of its queue, and of the queue of urgent messages, "" if it has none."""

    dead_letters: str
    queue: str
    urgent: str = ""


def queue_urls(environment: MonitorEnvironment) -> dict[str, QueueUrls]:
    """The queues of each function that consumes messages."""
    found = {
        "ingest": QueueUrls(environment.ingest_dlq_url, environment.ingest_queue_url),
        "purge": QueueUrls(environment.purge_dlq_url, environment.purge_queue_url),
        "refine": QueueUrls(environment.refine_dlq_url, environment.refine_queue_url),
        "infer": QueueUrls(
            environment.infer_dlq_url,
            environment.infer_queue_url,
            environment.infer_priority_queue_url,
        ),
    }
    return {name: urls for name, urls in found.items() if urls.dead_letters and urls.queue}
