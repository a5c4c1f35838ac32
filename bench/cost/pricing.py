"""Price cache misses from the figures of the suite ``requests``: Darkroom and AWS's solution."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from darkroom.services.serve.store_policy import MissCosts, compute_probability
from darkroom_pipeline.operations.cost_model import PriceTable

from ..compare import OURS, STORED
from ..competitors.dit import NAME as DIT
from ..competitors.model import MissingCompetitor
from ..report import MEASURED
from ..tables import Table
from .render_cost import (
    FULL_CORE_MB,
    MEMORY_MARGIN,
    MEMORY_MB,
    RenderTime,
    ServiceDesign,
    billed_ms,
    billed_start_ms,
    cheapest_mb,
    misses_cost,
    with_misses,
)

SIZES = ", ".join(map(str, MEMORY_MB))

RENDER_READS = 3
"""Further S3 requests of a render: derivative lookup, negative cache lookup, and a check whether the source has
changed.
"""

UNSTORED_RENDER_READS = 2
"""The same of a render that is not stored, which needs no check."""

CDN_READS = 1
"""The CDN's question to S3 before it asks the function: not where nothing is stored, which the edge function knows."""

MEZZANINE_READS = 2
"""Mezzanines that a render reads at most, whether they exist or not."""

LIBRARY_IMAGES = 1_000_000
"""Number of masters whose mezzanines are priced."""

MASTER_BYTES, MEZZANINE_BYTES = 2_262_295, (290_892, 555_277)
"""Bytes of the benchmark's image of 12 MP and of its mezzanines (:mod:`bench.mezzanines`)."""

DIT_MEMORY_MB = 1024
"""Memory of AWS's solution; its stack has no parameter for it (back-end-construct.ts of its repository)."""

COLD = 0.01
"""Share of renders that are cold starts."""

TIMES = 5
"""Misses of an image in a month, for the goal.

Each of CloudFront's thirteen regional caches misses separately: this is an image with viewers near five of them, and no
evictions.
"""

ALL_TIMES = (1, 2, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Priced:
    """A design with its memory: the cheapest one, or that of its template."""

    design: ServiceDesign
    peak_mb: float
    memory_mb: int

    def dollars(self, prices: PriceTable, architecture: str, times: float = TIMES) -> float:
        """Return the price of a million misses, with each image missed ``times`` times a month."""
        design = with_misses(self.design, times)
        return sum(misses_cost(prices, design, self.memory_mb, architecture=architecture).values())


@dataclass(frozen=True, slots=True)
class CostComparison:
    """Darkroom as deployed and without storing, and AWS's solution with and without API Gateway."""

    ours: Priced
    unstored: Priced
    theirs: Priced
    bare: Priced


def read_comparison(title: str, prices: PriceTable, architecture: str, measured: Path = MEASURED) -> CostComparison:
    """Read the case ``title``. Raises MissingCompetitor unless both were measured."""
    try:
        found: Mapping[str, Mapping[str, float]] = json.loads(measured.read_text(encoding="utf-8"))[title]
        stored, nothing, theirs = (found[name] for name in (STORED, OURS, DIT))
        work = {name: _work(found[name]) for name in (STORED, OURS, DIT)}
    except (FileNotFoundError, KeyError) as error:
        raise MissingCompetitor(f"Costs: the suite `requests` has no figures of {error}") from error

    def priced(of: Mapping[str, float], design: ServiceDesign, memory_mb: int = 0) -> Priced:
        peak_mb = of["peak_mb"]
        return Priced(design, peak_mb, memory_mb or cheapest_mb(prices, design, peak_mb, architecture))

    ours = ServiceDesign(
        work[STORED],
        int(stored["image_bytes"]),
        stores=True,
        extra_gets=RENDER_READS + MEZZANINE_READS,
        cold_share=COLD,
    )
    unstored = ServiceDesign(
        work[OURS],
        int(nothing["image_bytes"]),
        extra_gets=UNSTORED_RENDER_READS + MEZZANINE_READS,
        cold_share=COLD,
    )
    bare = ServiceDesign(work[DIT], int(theirs["image_bytes"]), cold_share=COLD)
    return CostComparison(
        priced(stored, ours),
        priced(nothing, unstored),
        priced(theirs, replace(bare, rest_api=True), DIT_MEMORY_MB),
        priced(theirs, bare, DIT_MEMORY_MB),
    )


def compute_ratio(found: CostComparison, prices: PriceTable, architecture: str, times: float = TIMES) -> float:
    """Return the ratio of Darkroom's price to that of AWS's solution."""
    ours, theirs = (one.dollars(prices, architecture, times) for one in (found.ours, found.theirs))
    return ours / theirs


def compute_chance_ratio(found: CostComparison, prices: PriceTable, architecture: str) -> tuple[float, float]:
    """Return the ratio for images missed once that are stored by chance, and the ratio if none of them is.

    Both have the CDN's question to S3, which is asked first where anything may be stored.
    """
    ours, unstored, theirs = (
        one.dollars(prices, architecture, 1) for one in (found.ours, found.unstored, found.theirs)
    )
    read = sum(prices.cost({"s3-gets": 1e6}).values())
    render = unstored + CDN_READS * read
    by_chance = render + compute_probability(MissCosts(render, ours - render, read)) * (ours - render)
    return by_chance / theirs, render / theirs


def compute_lower_bound(found: CostComparison, prices: PriceTable, architecture: str, times: float = TIMES) -> float:
    """Return the ratio if renders took no time: requests and storage only."""
    parts = misses_cost(prices, with_misses(found.ours.design, times), found.ours.memory_mb, architecture=architecture)
    return (sum(parts.values()) - parts["compute"]) / found.theirs.dollars(prices, architecture, times)


def tabulate_by_misses(title: str, found: CostComparison, prices: PriceTable, architecture: str) -> Table:
    """Return the table of prices of a million misses, by misses of each image."""
    headings = (
        "missed",
        "Darkroom",
        "ratio",
        "storing nothing",
        "ratio",
        "AWS's own",
        "without API Gateway",
        "ratio",
    )

    def row(times: int) -> Sequence[str]:
        ours, unstored, theirs, bare = (
            one.dollars(prices, architecture, times) for one in (found.ours, found.unstored, found.theirs, found.bare)
        )
        return (
            *(_times(times), f"{ours:.2f}", f"{ours / theirs:.2f}", f"{unstored:.2f}", f"{unstored / theirs:.2f}"),
            *(f"{theirs:.2f}", f"{bare:.2f}", f"{ours / bare:.2f}"),
        )

    return Table(f"{title}: USD for a million misses", headings, [row(times) for times in ALL_TIMES])


def describe_memory(found: CostComparison) -> list[str]:
    """Describe the memory of each design and its billed time."""
    return [
        f"{name}: {one.memory_mb} MB, {billed_ms(one.design.render, one.memory_mb):,} ms a render, and "
        f"{billed_start_ms(one.design.render, one.memory_mb):,} ms more for a cold start, whose peak was "
        f"measured as {one.peak_mb:.0f} MB."
        for name, one in (("Darkroom", found.ours), ("AWS's own", found.theirs))
    ]


def describe_mezzanines(prices: PriceTable) -> str:
    """Describe the price of the mezzanines of many images like the benchmark's."""
    puts, months = (
        sum(prices.cost({name: amount}).values())
        for name, amount in (
            ("s3-puts", LIBRARY_IMAGES * len(MEZZANINE_BYTES)),
            ("s3-gb-months", LIBRARY_IMAGES * sum(MEZZANINE_BYTES) / 1e9),
        )
    )
    masters = sum(prices.cost({"s3-gb-months": LIBRARY_IMAGES * MASTER_BYTES / 1e9}).values())
    sizes = " and ".join(f"{size / 1000:,.0f} kB" for size in MEZZANINE_BYTES)
    return (
        f"Mezzanines of {LIBRARY_IMAGES:,} masters of {MASTER_BYTES / 1e6:.1f} MB ({sizes} each): "
        f"${puts:.2f} once, and ${months:.2f} a month beside ${masters:.2f} for the masters. They are not included."
    )


def describe_rules(prices: PriceTable, architecture: str) -> list[str]:
    """Describe the rules of the tables."""
    return [
        f"Darkroom at the cheapest memory size of its template ({SIZES} MB) that is sufficient, "
        f"{MEMORY_MARGIN - 1:.0%} more than its measured peak; AWS's own at the {DIT_MEMORY_MB} MB that its "
        f"template sets. Below {FULL_CORE_MB} MB, one core's share, computing takes proportionally longer, "
        "waiting does not.",
        f"Billed are the render and, since August 2025, the start of the process, in {COLD:.0%} of renders; "
        "Lambda's and API Gateway's requests; S3's GET, HEAD and PUT; a month of storage. The CDN's "
        "charges are the same for both.",
        "**missed**: how often the CDN misses each image within a month. Darkroom renders and stores it once, then "
        "S3 serves it; AWS's own renders each time. **storing nothing**: with `store_derivatives = false`, where the "
        "CDN asks the function first, and S3 not at all.",
        f"Prices of us-east-1, on demand, {architecture}, as read on {prices.read_on.isoformat()}.",
    ]


def _times(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _work(measured: Mapping[str, float]) -> RenderTime:
    """A cold start is the time of its first response beyond a warm one."""
    start_ms = max(0.0, (measured["cold_ms"] or 0.0) - measured["warm_ms"])
    return RenderTime(measured["billed_ms"], measured["cpu_ms"], start_ms)
