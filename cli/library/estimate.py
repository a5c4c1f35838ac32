"""Estimate cost and time of a bulk job before it runs, by the model that docs/explanation/cost.md prices with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cli.library.prices import (
    ENDPOINT_MS,
    MASTER_MB,
    analysis_ms,
    conducting_ms,
    ingest_ms,
    presets_ms,
    price_analysis,
    price_ingest,
    price_presets,
    sum_usd,
)
from darkroom_pipeline.bulk.messages import JobSpec, Operation
from darkroom_pipeline.operations.cost_model import Architecture, PriceTable

SHOWN = 5
"""Keys that are listed as examples."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What limits the pace: concurrent batches of the job, and concurrent messages of ingest and infer."""

    batches: int
    ingest: int
    infer: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """``keys`` images cost ``usd`` and take ``seconds`` with ``capacity``. ``first`` are the first keys.

    ``skipped``: objects whose name is not that of a key.
    """

    keys: int
    first: tuple[str, ...]
    usd: float
    seconds: float
    capacity: Capacity
    presets: int
    skipped: int = 0


def estimate(
    spec: JobSpec,
    keys: Iterator[str],
    prices: PriceTable,
    capacity: Capacity,
    *,
    presets: int,
    architecture: Architecture,
) -> Estimate:
    """Count ``keys``, and estimate a job of ``spec`` over them. ``presets`` are rendered of each image at ingest.

    All images count as 12 MP JPEGs without a result. Hours of an endpoint are not included: it runs anyway.
    """
    first, count = list[str](), 0
    for key in keys:
        count += 1
        if len(first) < SHOWN:
            first.append(key)
    match spec.operation:
        case Operation.PRESETS:
            each, own_ms, other_ms, other = price_presets(architecture, presets), presets_ms(presets), 0.0, 1
        case Operation.INGEST:
            each = price_ingest(architecture, copied=bool(spec.source), presets=presets)
            own_ms, other_ms, other = 0.0, ingest_ms(presets), capacity.ingest
        case Operation.INFER:
            each, own_ms, other_ms, other = price_analysis(architecture), 0.0, analysis_ms(), capacity.infer
    paces_ms = (conducting_ms(own_ms) / max(capacity.batches, 1), other_ms / max(other, 1))
    seconds = count * max(paces_ms) / 1000
    return Estimate(count, tuple(first), sum_usd(prices, each, count), seconds, capacity, presets)


def describe(found: Estimate, spec: JobSpec, prices: PriceTable) -> Iterator[str]:
    """Format an estimate as lines."""
    more = f", and {found.keys - len(found.first):,} more" if found.keys > len(found.first) else ""
    yield f"{spec.operation.value}: {found.keys:,} keys" + (f": {', '.join(found.first)}{more}" if found.first else "")
    if found.skipped:
        yield f"{found.skipped:,} objects are left out: their names are not encoded keys"
    yield f"about {found.usd:.2f} USD at prices of us-east-1 of {prices.read_on}, and {format_duration(found.seconds)}"
    limits = [f"{found.capacity.batches} batches at a time"]
    if spec.operation is Operation.INGEST:
        limits.append(f"{found.capacity.ingest} uploads at a time")
    if spec.operation is Operation.INFER:
        limits.append(f"{found.capacity.infer} images at a time, {ENDPOINT_MS:.0f} ms each at the endpoint")
    else:
        limits.append(f"{found.presets} presets")
    yield f"for 12 MP JPEGs of {MASTER_MB} MB that have no result yet, {', '.join(limits)}"


def format_duration(seconds: float) -> str:
    """Format a duration roughly."""
    for unit_s, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {name}"
    return f"{max(seconds, 1):.0f} s"
