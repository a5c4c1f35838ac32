"""Drain time of 5,000 uploads by workers: measured for as many workers as the machine has cores, and modelled."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from ..goals import Rounds, Section
from ..growth.charts import DRAIN_CHART, draw_drains
from ..growth.drain_model import (
    MAX_POLLERS,
    MIN_CONCURRENCY,
    POLLERS_A_MINUTE,
    POLLERS_AT_FIRST,
    compute_drain_s,
    estimate_wait_ms,
)
from ..growth.drains import measure_drains
from ..growth.figures import DrainFigures, write_figures
from ..growth.masters import Photograph, make_masters
from ..growth.reencodes import REFINE_CONCURRENCY, measure_reencode_ms
from ..machine import describe_processor
from ..tables import Table
from . import Progress

UPLOADS = 5_000
MEGAPIXELS = 12
WORKERS = (1, 2, 3, 4, 5, 6, 7, 8)
MORE = (10, 100, 1000)
"""The default of IngestConcurrency, and more: there, the pollers' scale-up counts."""

MEASURED = {"full": 20, "quick": 6}


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure drains with one and two workers; a full measurement stores its figures and draws the chart."""
    load = os.getloadavg()[0]
    masters = make_masters()
    file = masters[Photograph(0, MEGAPIXELS, "cleaned")]
    counts = [count for count in (1, 2) if count <= len(os.sched_getaffinity(0))]
    drains = measure_drains(file.read_bytes(), counts, MEASURED[rounds], progress)
    progress("re-encoding")
    reencode_ms = measure_reencode_ms([masters[Photograph(number, MEGAPIXELS, "cleaned")] for number in range(3)])
    date = datetime.now(UTC).date().isoformat()
    conditions = f"{describe_processor()}, which MiniStack uses too; {date}; load average before: {load:.1f}"
    figures = DrainFigures(conditions, MEGAPIXELS, file.stat().st_size, drains, reencode_ms)
    if rounds == "full":
        write_figures("drains", figures)
        DRAIN_CHART.write_text(draw_drains(figures, list_modelled(figures, WORKERS)), encoding="utf-8")
    return Section(format_section(figures))


def compute_service_s(figures: DrainFigures) -> float:
    """Return the time of an upload on Lambda: measured CPU time, and waits for AWS."""
    return (figures.cpu_ms + estimate_wait_ms(figures.upload_bytes / 1e6)) / 1000


def list_modelled(figures: DrainFigures, workers: Sequence[int]) -> list[tuple[int, float]]:
    """Return the modelled minutes for 5,000 uploads by number of workers."""
    services = [compute_service_s(figures)] * UPLOADS
    return [(count, compute_drain_s(services, count) / 60) for count in workers]


def format_section(figures: DrainFigures) -> str:
    """Format the measured and the modelled drains."""
    tables = (_tabulate_measured, _tabulate_modelled, _tabulate_reencodes)
    return "\n\n".join(table(figures).markdown() for table in tables)


def _tabulate_measured(figures: DrainFigures) -> Table:
    rows = [
        (
            str(one.workers),
            str(one.uploads),
            f"{one.elapsed_s:.1f}",
            f"{one.cpu_ms:.0f}",
            f"{one.elapsed_s / one.uploads * UPLOADS / 60:.0f}",
        )
        for one in figures.drains
    ]
    headings = ("workers", "uploads", "seconds", "CPU ms of an upload", f"minutes for {UPLOADS:,}")
    notes = [
        f"- Measured: `functions/ingest` with its presets in one process for each worker, a queue that is full before "
        f"they start, and MiniStack in place of S3, SQS, DynamoDB and EventBridge. Uploads are photographs of "
        f"{figures.megapixels} MP and {figures.upload_bytes / 1e6:.1f} MB with distinct bytes. The first upload of "
        "each worker, its cold start, is not counted.",
        f"- {figures.conditions}. Seconds include the load of other processes; the model uses CPU time only.",
    ]
    return Table("Drains, measured", headings, rows, ["\n".join(notes)])


def _tabulate_modelled(figures: DrainFigures) -> Table:
    service_s = compute_service_s(figures)
    rows = [
        (f"{count:,}", f"{minutes:.1f}", f"{UPLOADS / minutes / 60:.1f}")
        for count, minutes in list_modelled(figures, [*WORKERS, *MORE])
    ]
    notes = [
        f"- Modelled: an upload takes {service_s * 1000:.0f} ms, the measured CPU time and estimated waits for S3 and "
        f"the index. Lambda begins with {POLLERS_AT_FIRST} concurrent invocations, adds up to {POLLERS_A_MINUTE} a "
        f"minute, up to {MAX_POLLERS:,} and at most `IngestConcurrency` (10 by default, at least {MIN_CONCURRENCY}).",
        "- The function's 3,008 MB are 1.7 cores, of which the second is not counted.",
    ]
    headings = ("workers", "minutes", "uploads a second")
    return Table(f"Drain of {UPLOADS:,} uploads on Lambda, modelled", headings, rows, ["\n".join(notes)])


def _tabulate_reencodes(figures: DrainFigures) -> Table:
    """Format re-encodes: their CPU time is measured, their rate on Lambda is modelled."""
    rows = [
        (output, f"{cpu_ms:,.0f}", f"{REFINE_CONCURRENCY * 3600 / (cpu_ms / 1000):,.0f}")
        for output, cpu_ms in figures.reencode_ms.items()
    ]
    notes = [
        f"- CPU time of one re-encode of a {figures.megapixels} MP photograph, the median of three, measured. "
        f"The queue of re-encodes has a maximum concurrency of {REFINE_CONCURRENCY}, whole cores; its waits are not "
        "counted. A longer queue delays smaller images, not viewers.",
    ]
    headings = ("output, px", "CPU ms", "re-encodes an hour, modelled")
    return Table("Background re-encoding", headings, rows, notes)
