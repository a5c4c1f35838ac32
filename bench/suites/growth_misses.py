"""Time and memory of a miss by source pixels and output size."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S

from ..environment import describe_machine
from ..goals import Rounds, Section
from ..growth.charts import MISSES_CHART, draw_misses
from ..growth.figures import MissFigure, MissFigures, write_figures
from ..growth.masters import MEGAPIXELS, PHOTOGRAPHS, make_masters
from ..growth.misses import OUTPUTS, measure_misses, summarise
from ..growth.render_times import cold_start_ms
from ..machine import separate_cores
from ..tables import Table
from . import Progress

ROUNDS = {"full": 2, "quick": 1}


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure all cases; a full measurement stores its figures and draws the chart."""
    load = os.getloadavg()[0]
    masters = make_masters()
    with separate_cores() as core:
        measured = measure_misses(masters, ROUNDS[rounds], core, progress)
    date = datetime.now(UTC).date().isoformat()
    figures = summarise(measured, f"{describe_machine()}; {date}; load average before: {load:.1f}")
    if rounds == "full":
        write_figures("misses", figures)
        MISSES_CHART.write_text(draw_misses(figures), encoding="utf-8")
    return Section(format_section(figures, ROUNDS[rounds]))


def format_section(figures: MissFigures, rounds: int) -> str:
    """Format the tables of times and memory, and their conditions."""
    tables = [
        _tabulate("Milliseconds of a miss", figures, _format_ms),
        _tabulate("Milliseconds of a miss without mezzanines", figures, _format_ms, mezzanines=False),
        _tabulate("Peak memory of a miss, MB", figures, lambda one: f"{one.peak_mb:.0f}"),
    ]
    return "\n\n".join([*(table.markdown() for table in tables), _notes(figures, rounds)])


def _format_ms(one: MissFigure) -> str:
    return f"{one.ms:.0f} ({one.cpu_ms:.0f})"


def _tabulate(title: str, figures: MissFigures, cell: Callable[[MissFigure], str], *, mezzanines: bool = True) -> Table:
    rows = []
    for megapixels in MEGAPIXELS:
        found = [figures.find(megapixels, output, mezzanines=mezzanines) for output in OUTPUTS]
        kind = "pyramid" if found[0].kind == "pyramid" else "JPEG"
        rows.append((f"{megapixels} MP", f"{kind}, {found[0].master_bytes / 1e6:.1f} MB", *map(cell, found)))
    headings = ("source", "master", *(f"{output} px" if output.isdigit() else output for output in OUTPUTS))
    return Table(title, headings, rows)


def _notes(figures: MissFigures, rounds: int) -> str:
    return "\n".join(
        [
            f"- WebP of 200, 800 and 2,000 px width, and AVIF of 800 px, of {len(PHOTOGRAPHS)} cameras' photographs, "
            f"each in a process of its own after two small requests, {rounds} times. Larger sources than a camera's "
            "are composed of the photograph and its mirror images. MB are 10⁶ bytes.",
            "- In brackets: CPU time, the median of all, measured by the process's own clock on one core of a busy "
            f"machine. Time: CPU time, {LATENCY_MS:.0f} ms for each of the consecutive requests to S3, whose number is "
            f"measured, and the transfer of the JPEG that is read at {MEGABYTES_PER_S:.0f} MB/s, of which decoding "
            "hides a part. Lambda's own overhead is not included.",
            "- A JPEG from 3 MP on has mezzanines, from which images of 200 and 800 px are rendered. Without them: "
            "with `mezzanines = false`, or after they have expired.",
            f"- A cold start takes {cold_start_ms(figures):.0f} ms of CPU time more, with files in the cache.",
            f"- {_describe_rounds(figures)} From 64 MP on, ingest stores a tiled pyramid, of which a miss reads the "
            "level that it needs, block by block. Consecutive requests before the response: "
            f"{_list_rounds(figures)}. The transfer of the blocks is not counted.",
            "- 120 MP is the default limit (`max_source_pixels`): a larger upload is cut into strips ([large "
            "images](../guides/large-images.md)), and a larger JPEG that an operator stored as a master is refused "
            "with 413 ([measured](performance.md#the-largest)).",
            f"- {figures.conditions}.",
        ]
    )


def _describe_rounds(figures: MissFigures) -> str:
    jpeg = figures.find(12, "800")
    return (
        f"A JPEG waits for {jpeg.rounds} of the {jpeg.billed_rounds} consecutive requests to S3 before the response: "
        "all reads at once are the first; the PUT is another, which Lambda bills in any case."
    )


def _list_rounds(figures: MissFigures) -> str:
    """List the requests of pyramids."""
    pyramids = [one for one in figures.misses if one.kind == "pyramid" and one.output.isdigit()]
    found = sorted(pyramids, key=lambda one: (one.megapixels, int(one.output)))
    return ", ".join(f"{one.rounds} for {one.megapixels} MP to {one.output} px" for one in found)
