"""Price cache misses from the durations of renders and the memory of a function, by the price table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from darkroom_pipeline.operations.cost_model import (
    Architecture,
    PriceTable,
    function_amounts,
    sum_amounts,
)

FULL_CORE_MB = 1769
"""Memory with which Lambda gives a function one core (AWS Lambda's guide, "Configure Lambda function memory"). Below it
the share of a core is in proportion."""

MEMORY_MB = (1024, 1769, 3008)
"""Sizes of the transform function in the template (``RenderMb`` of its mapping Sizes)."""

MEMORY_MARGIN = 1.3
"""Memory of a function by the largest measured need of its process."""

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RenderTime:
    """Duration of a render on one core: ``wall_ms`` in total, of which ``cpu_ms`` are CPU time.

    ``start_ms`` is the additional CPU time of a cold start. Lambda bills it too, as part of the first request or, since
    August 2025, as initialisation.
    """

    wall_ms: float
    cpu_ms: float
    start_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class ServiceDesign:
    """How a service responds to misses of its CDN.

    ``stored_share``: share of misses that are served from a bucket. A render sends one GET and ``extra_gets`` more; if
    ``stores`` is set, it puts one object of ``image_bytes``, which is stored for a month. ``cold_share``: share of
    renders that are cold starts. ``rest_api``: the function is behind API Gateway.
    """

    render: RenderTime
    image_bytes: int
    stores: bool = False
    stored_share: float = 0.0
    extra_gets: int = 0
    cold_share: float = 0.0
    rest_api: bool = False


def billed_ms(work: RenderTime, memory_mb: float) -> int:
    """Return the billed ms of a warm render: CPU time grows on a part of a core, waiting does not.

    More memory than that of one core makes no render faster, because a render has one thread.
    """
    return ceil(work.wall_ms + work.cpu_ms * (1 / _core_share(memory_mb) - 1))


def billed_start_ms(work: RenderTime, memory_mb: float) -> int:
    """Return the additional billed ms of a cold start."""
    return ceil(work.start_ms / _core_share(memory_mb))


def sufficient_sizes_mb(peak_rss_mb: float) -> list[int]:
    """Return the sizes of MEMORY_MB for a process with a peak of ``peak_rss_mb``, in MB of 10^6 bytes."""
    needed = peak_rss_mb * 1e6 / MEBIBYTE * MEMORY_MARGIN
    return [size for size in MEMORY_MB if size >= needed]


def cheapest_mb(
    prices: PriceTable, design: ServiceDesign, peak_rss_mb: float, architecture: Architecture = "x86_64"
) -> int:
    """Return the size with the lowest cost of misses. Raises ValueError if none is sufficient."""
    return min(
        sufficient_sizes_mb(peak_rss_mb),
        key=lambda size: sum(misses_cost(prices, design, size, architecture=architecture).values()),
    )


def misses_cost(
    prices: PriceTable,
    design: ServiceDesign,
    memory_mb: float,
    *,
    misses: float = 1_000_000,
    architecture: Architecture = "x86_64",
) -> dict[str, float]:
    """Return the cost of ``misses`` in US dollars by part, without charges of the CDN."""
    return prices.cost(_miss_amounts(design, memory_mb, misses, architecture))


def with_misses(design: ServiceDesign, times: float) -> ServiceDesign:
    """Return ``design`` with ``times`` misses of each image in the month for which it is stored."""
    return replace(design, stored_share=1 - 1 / times if design.stores else 0.0)


def _core_share(memory_mb: float) -> float:
    """Return the share of a core with ``memory_mb``."""
    return min(1.0, memory_mb / FULL_CORE_MB)


def _miss_amounts(
    design: ServiceDesign, memory_mb: float, misses: float, architecture: Architecture
) -> dict[str, float]:
    renders = misses * (1 - design.stored_share)
    return sum_amounts(
        _render_amounts(design, memory_mb, renders, architecture),
        _stored_amounts(design, misses, renders) if design.stores else {},
        {"rest-api-requests": misses} if design.rest_api else {},
    )


def _render_amounts(
    design: ServiceDesign, memory_mb: float, renders: float, architecture: Architecture
) -> dict[str, float]:
    """Return the amounts of the function and of its GETs."""
    each_ms = billed_ms(design.render, memory_mb) + design.cold_share * billed_start_ms(design.render, memory_mb)
    return sum_amounts(
        function_amounts(memory_mb, each_ms * renders, renders, architecture),
        {"s3-gets": (1 + design.extra_gets) * renders},
    )


def _stored_amounts(design: ServiceDesign, misses: float, renders: float) -> dict[str, float]:
    """Return the amounts of the bucket: a GET per miss, a PUT per render."""
    return {"s3-gets": misses, "s3-puts": renders, "s3-gb-months": renders * design.image_bytes / 1e9}
