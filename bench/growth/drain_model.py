"""Model the drain of an SQS queue by Lambda: pollers that scale up, and functions that take a message at a time."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from cli.library.prices import LATENCY_MS, PRESETS, estimate_fetch_ms

POLLERS_AT_FIRST = 5
POLLERS_A_MINUTE = 300
MAX_POLLERS = 1250
"""Concurrent invocations of an event source mapping of a standard queue: at first, added per minute, at most (AWS
Lambda developer guide, "Configuring scaling behavior for SQS event source mappings")."""

MIN_CONCURRENCY = 2
"""Smallest maximum concurrency of such a mapping (the same page)."""

PARALLEL_PUTS = 4
"""Presets that ingest stores at a time."""

INDEX_CALLS = 3
INDEX_MS = 10.0
"""Consecutive calls of the index, and the assumed time of each: DynamoDB answers in single-digit milliseconds."""


def estimate_wait_ms(megabytes: float) -> float:
    """Estimate the waits of an upload: the GET, the PUTs of master and presets, the index, one event."""
    puts = 1 + -(-PRESETS // PARALLEL_PUTS)
    return estimate_fetch_ms(megabytes) + (puts + 1) * LATENCY_MS + INDEX_CALLS * INDEX_MS


def list_openings_s(concurrency: int) -> list[float]:
    """Return when each of ``concurrency`` functions receives its first message, in seconds after the first."""
    count = min(concurrency, MAX_POLLERS)
    return [max(0, number + 1 - POLLERS_AT_FIRST) * 60 / POLLERS_A_MINUTE for number in range(count)]


def compute_drain_s(services_s: Sequence[float], concurrency: int, start_s: float = 0.0) -> float:
    """Return the seconds until all messages are processed. Each has its service time.

    ``start_s`` is the cold start of each function, before its first message.
    """
    free = [opening + start_s for opening in list_openings_s(concurrency)]
    heapify(free)
    ended = 0.0
    for service_s in services_s:
        done = heappop(free) + service_s
        ended = max(ended, done)
        heappush(free, done)
    return ended
