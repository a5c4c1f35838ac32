"""What a million requests cost by the memory of the function, beside AWS's own solution, from measured durations.

``python -m tools.cost`` measures both handlers as the benchmark does, prices them by ``darkroom/watch/prices.toml`` and
writes the tables of docs/cost.md; ``--print`` leaves the page as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from bench.__main__ import progress
from bench.cases import Case
from bench.conditions import LATENCY_MS, MEGABYTES_PER_S, machine
from bench.contenders.darkroom import darkroom
from bench.contenders.model import Missing
from bench.contenders.node import node
from bench.emulator import emulator
from bench.link.process import linked
from bench.machine import architecture, cores
from bench.page import Markers, write_page
from bench.parts.requests import CASES
from bench.paths import ROOT
from bench.pictures import pictures
from bench.tables import Table
from bench.trial import Counts, Result, run
from darkroom.watch.cost import (
    FULL_CORE_MB,
    Design,
    PriceTable,
    Work,
    billed_ms,
    load,
    requests_cost,
    worth_storing,
)

PAGE = ROOT / "docs" / "cost.md"
MARKERS = Markers("<!-- measured by `make cost`, do not edit -->", "<!-- end of what it costs -->")

MEMORY_MB = (512, 1024, 1769, 3008)
REQUESTS, HIT_RATIO = 1_000_000, 0.8
FOUND = 0.5
"""Share of the CDN's misses that find an earlier render: a guess, beside the worst case of none."""

ROUNDS = Counts(cold=1, warm=21)
OURS, THEIRS = "Darkroom", "Node"
HEADINGS = (
    "memory MB",
    "Darkroom ms",
    "each rendered",
    f"{FOUND:.0%} found stored",
    "sharp ms",
    "AWS's own",
    "pays off after",
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Designs for the same requests: Darkroom where each miss is rendered, where some are stored, and AWS's own."""

    ours: Design
    found: Design
    theirs: Design


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.cost", description="What a million requests cost.")
    parser.add_argument("--print", action="store_true", help="leave docs/cost.md as it is")
    chosen = parser.parse_args(arguments)
    load_before = os.getloadavg()[0]
    try:
        results = measured()
    except Missing as reason:
        sys.stderr.write(f"{reason}.\n")
        return 1
    prices = load()
    tables = [priced(prices, case.title, compared(results[case]), architecture()) for case in results]
    notes = conditions(prices, load_before)
    sys.stdout.write("\r\033[K" + "\n\n".join([*(table.text() for table in tables), "\n".join(notes)]) + "\n")
    if not chosen.print:
        write_page(PAGE, for_page(tables, notes), MARKERS)
        sys.stdout.write(f"Wrote {PAGE.relative_to(ROOT)}\n")
    return 0


def measured() -> Mapping[Case, Sequence[Result]]:
    """Warm requests of both handlers, in turn, on one core; raises Missing where Node is not there."""
    files = {file.name: file for file in pictures()}
    function_core, our_core = cores()
    if our_core is not None:
        os.sched_setaffinity(0, {our_core})
    with linked(list(files.values()), LATENCY_MS, MEGABYTES_PER_S) as endpoint_url:
        contenders = [darkroom(endpoint_url), node(endpoint_url)]
        return {case: run(case, contenders, ROUNDS, emulator(), function_core, progress) for case in CASES}


def compared(results: Sequence[Result]) -> Compared:
    """The designs that ``results`` are measurements of."""
    ours, theirs = (next(one for one in results if one.contender.name == name) for name in (OURS, THEIRS))
    return Compared(
        ours=Design(_work(ours), len(ours.body), stores=True),
        found=Design(_work(ours), len(ours.body), stores=True, stored=FOUND),
        theirs=Design(_work(theirs), len(theirs.body), rest_api=True),
    )


def priced(prices: PriceTable, title: str, designs: Compared, processor: str) -> Table:
    """US dollars for a million pictures, a row for each memory size."""

    def dollars(design: Design, memory_mb: int) -> str:
        parts = requests_cost(prices, design, memory_mb, requests=REQUESTS, hit_ratio=HIT_RATIO, architecture=processor)
        return f"{sum(parts.values()) * 1_000_000 / REQUESTS:.2f}"

    rows = [
        (
            str(memory_mb),
            str(billed_ms(designs.ours.work, memory_mb)),
            dollars(designs.ours, memory_mb),
            dollars(designs.found, memory_mb),
            str(billed_ms(designs.theirs.work, memory_mb)),
            dollars(designs.theirs, memory_mb),
            f"{worth_storing(prices, designs.ours, memory_mb, processor):.1f} times",
        )
        for memory_mb in MEMORY_MB
    ]
    return Table(f"{title}: USD for a million pictures", HEADINGS, rows)


def conditions(prices: PriceTable, load_before: float) -> list[str]:
    """What the numbers hold for."""
    return [
        f"{REQUESTS:,} requests, {HIT_RATIO:.0%} answered by the CDN; prices of us-east-1, on demand, "
        f"{architecture()}, as read on {prices.read.isoformat()}.",
        f"{machine()}; median of {ROUNDS.warm} warm requests of each, in turn, on one core; S3 is {LATENCY_MS:.0f} ms "
        f"from its first byte and {MEGABYTES_PER_S:.0f} MB/s fast. Load average before: {load_before:.1f}.",
        f"Measured at one core, which is Lambda's {FULL_CORE_MB} MB. Below, computing takes longer in proportion to "
        "the share of a core, waiting does not; above, nothing is quicker.",
    ]


def for_page(tables: Sequence[Table], notes: Sequence[str]) -> str:
    """The part of docs/cost.md between the markers."""
    return "\n\n".join([*(table.markdown() for table in tables), "\n".join(f"- {note}" for note in notes)])


def _work(result: Result) -> Work:
    return Work(result.warm_ms.median, result.cpu_ms)


if __name__ == "__main__":
    sys.exit(main())
