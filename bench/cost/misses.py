"""Price misses by the memory of the function from measured durations, compared with AWS's solution."""

from __future__ import annotations

from dataclasses import replace

from bench.cost.pricing import (
    CostComparison,
    describe_memory,
    describe_mezzanines,
    describe_rules,
    tabulate_by_misses,
)
from bench.cost.render_cost import MEMORY_MB, billed_ms
from bench.environment import describe_machine
from bench.page import Markers
from bench.tables import Table
from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S
from darkroom_pipeline.operations.cost_model import PriceTable

MARKERS = Markers("<!-- measured by `make cost`, do not edit -->", "<!-- end of what it costs -->")

LIBRARY_MARKERS = Markers("<!-- priced by `make cost`, do not edit -->", "<!-- end of what libraries cost -->")
LIBRARY_PROCESSOR = "arm64"
"""The template's default; these prices need no measurement."""


def for_page(found: dict[str, CostComparison], prices: PriceTable, processor: str) -> str:
    """Return the generated part of docs/explanation/cost.md."""
    sections = [section(title, one, prices, processor) for title, one in found.items()]
    return "\n\n".join([*sections, "\n".join(f"- {note}" for note in conditions(prices, processor))])


def section(title: str, found: CostComparison, prices: PriceTable, processor: str) -> str:
    """Return both tables of one case, and the memory sizes that they price."""
    misses = tabulate_by_misses(title, found, prices, processor)
    lines = "\n".join(f"- {line}" for line in describe_memory(found))
    return "\n\n".join([misses.markdown(), lines, by_memory(title, found, prices, processor).markdown()])


def by_memory(title: str, found: CostComparison, prices: PriceTable, processor: str) -> Table:
    """Tabulate US dollars for a million misses of as many images by memory size."""
    rows = []
    for memory_mb in MEMORY_MB:
        row = [str(memory_mb)]
        for one in (found.ours, found.theirs):
            usd = replace(one, memory_mb=memory_mb).dollars(prices, processor, 1)
            row += [str(billed_ms(one.design.render, memory_mb)), f"{usd:.2f}"]
        rows.append(row)
    headings = ("memory MB", "Darkroom ms", "Darkroom", "AWS's own ms", "AWS's own")
    return Table(f"{title}: USD for a million misses by memory, each image missed once", headings, rows)


def conditions(prices: PriceTable, processor: str) -> list[str]:
    """Describe the conditions."""
    return [
        *describe_rules(prices, processor),
        describe_mezzanines(prices),
        f"{describe_machine()}; S3 is {LATENCY_MS:.0f} ms to the first byte and {MEGABYTES_PER_S:.0f} MB/s.",
    ]
