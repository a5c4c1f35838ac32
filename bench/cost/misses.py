"""Price misses and requests by the memory of the function from measured durations, compared with AWS's solution."""

from __future__ import annotations

from bench.cost.pricing import (
    CostComparison,
    Priced,
    describe_memory,
    describe_mezzanines,
    describe_re_encoding,
    describe_rules,
    tabulate_by_cold_starts,
    tabulate_by_misses,
)
from bench.cost.render_cost import MEMORY_MB, billed_ms, break_even_requests, requests_cost, with_misses
from bench.environment import describe_machine
from bench.page import Markers
from bench.tables import Table
from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S
from darkroom_pipeline.operations.cost_model import PriceTable

MARKERS = Markers("<!-- measured by `make cost`, do not edit -->", "<!-- end of what it costs -->")

LIBRARY_MARKERS = Markers("<!-- priced by `make cost`, do not edit -->", "<!-- end of what libraries cost -->")
LIBRARY_PROCESSOR = "arm64"
"""The template's default; these prices need no measurement."""

REQUESTS, HIT_RATIO = 1_000_000, 0.8
TWICE = 2
"""Misses of each image in the second case, after the worst case of one."""

HEADINGS = (
    "memory MB",
    "Darkroom ms",
    "each rendered",
    "each missed twice",
    "AWS's own ms",
    "AWS's own",
    "pays off after",
)


def for_page(found: dict[str, CostComparison], prices: PriceTable, processor: str) -> str:
    """Return the generated part of docs/explanation/cost.md."""
    sections = [section(title, one, prices, processor) for title, one in found.items()]
    return "\n\n".join([*sections, "\n".join(f"- {note}" for note in conditions(prices, processor))])


def section(title: str, found: CostComparison, prices: PriceTable, processor: str) -> str:
    """Return all tables of one case, and the memory sizes that they price."""
    misses, cold = (table(title, found, prices, processor) for table in (tabulate_by_misses, tabulate_by_cold_starts))
    lines = "\n".join(f"- {line}" for line in [*describe_memory(found), describe_re_encoding(found, prices)])
    return "\n\n".join(
        [misses.markdown(), lines, cold.markdown(), by_memory(title, found, prices, processor).markdown()]
    )


def by_memory(title: str, found: CostComparison, prices: PriceTable, processor: str) -> Table:
    """Tabulate US dollars for a million viewers' requests by memory size."""

    def dollars(one: Priced, memory_mb: int, times: int) -> str:
        design = with_misses(one.design, times)
        parts = requests_cost(prices, design, memory_mb, requests=REQUESTS, hit_ratio=HIT_RATIO, architecture=processor)
        return f"{sum(parts.values()):.2f}"

    rows = [
        (
            str(memory_mb),
            str(billed_ms(found.ours.design.render, memory_mb)),
            dollars(found.ours, memory_mb, 1),
            dollars(found.ours, memory_mb, TWICE),
            str(billed_ms(found.theirs.design.render, memory_mb)),
            dollars(found.theirs, memory_mb, 1),
            f"{break_even_requests(prices, found.ours.design, memory_mb, processor):.1f} times",
        )
        for memory_mb in MEMORY_MB
    ]
    return Table(f"{title}: USD for a million requests of viewers", HEADINGS, rows)


def conditions(prices: PriceTable, processor: str) -> list[str]:
    """Describe the conditions."""
    return [
        *describe_rules(prices, processor),
        describe_mezzanines(prices),
        f"By memory: {REQUESTS:,} requests, {HIT_RATIO:.0%} served by the CDN, including its charges.",
        f"{describe_machine()}; S3 is {LATENCY_MS:.0f} ms to the first byte and {MEGABYTES_PER_S:.0f} MB/s.",
    ]
