"""Price a deployment, and write the tables of docs/explanation/cost.md: ``python -m bench.cost WHAT``.

``idle`` is a deployment without requests, by level of alarms. ``month`` is one with the numbers of the worked example,
or other ones by ``--set``; it also writes the coefficients of the page's calculator. ``misses`` are a million requests
with the durations of the benchmark's last full run, beside AWS's solution. Prices are those of
``darkroom/prices.toml``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from darkroom_pipeline.operations.cost_model import load_prices

from ..competitors.model import MissingCompetitor
from ..machine import architecture
from ..page import PAGE as PERFORMANCE
from ..page import write_page
from ..report import MEASURED
from ..suites.cost import CASES, measure_requests
from . import PAGE, bills, calculator, fargate, idle, libraries, misses, month
from .inputs import DEFAULTS, read_inputs
from .peer_month import compare_month, format_peer_month
from .pricing import read_comparison


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description="What a deployment costs.")
    parser.add_argument("what", choices=("idle", "month", "misses"))
    parser.add_argument("--print", action="store_true", help="write no files")
    parser.add_argument("--measure", action="store_true", help="misses: measure even if the benchmark has figures")
    parser.add_argument(
        "--set", action="append", default=[], metavar="INPUT=NUMBER", help="month: change an input, and write no files"
    )
    chosen = parser.parse_args(arguments)
    try:
        if chosen.what == "idle":
            text = price_idle(writes=not chosen.print)
        elif chosen.what == "month":
            text = price_month(chosen.set, writes=not (chosen.print or chosen.set))
        else:
            text = price_misses(measures=chosen.measure or not MEASURED.exists(), writes=not chosen.print)
    except ValueError as error:
        parser.error(str(error))
    except MissingCompetitor as reason:
        sys.stderr.write(f"{reason}.\n")
        return 1
    sys.stdout.write(f"{text}\n")
    return 0


def price_idle(*, writes: bool) -> str:
    """Return the table of an idle deployment, and write it into the page."""
    table = idle.table(load_prices())
    if writes:
        write_page(PAGE, table, idle.MARKERS)
    return table


def price_month(settings: Sequence[str], *, writes: bool) -> str:
    """Return the prices of a month, and write the worked example and the coefficients. Raises ValueError."""
    page, cpu_ms = PAGE.read_text(encoding="utf-8"), fargate.read_cpu_ms(PERFORMANCE.read_text(encoding="utf-8"))
    prices = load_prices()
    lines = month.build_lines(prices, page)
    values, model = read_inputs(settings), bills.CostModel(prices, lines, page, cpu_ms)
    if writes:
        peer = format_peer_month(compare_month(prices, lines, page, cpu_ms))
        write_page(PAGE, month.format_example(prices, lines, peer), month.MARKERS)
        write_page(PAGE, fargate.format_misses(prices, page, DEFAULTS["image_kb"], cpu_ms), fargate.MARKERS)
        calculator.DATA.write_text(calculator.format_data(model), encoding="utf-8")
    offers = month.list_month_offers(prices, values)
    tables = (
        month.format_table(lines, values),
        month.format_offers(offers, month.sum_cheapest(lines, values, offers)),
        bills.format_bills(bills.list_bills(model, values)),
    )
    return "\n\n".join(tables)


def price_misses(*, measures: bool, writes: bool) -> str:
    """Return the prices of misses and of bulk jobs, and write both into the page. Raises MissingCompetitor."""
    prices, processor = load_prices(), architecture()
    if measures:
        measure_requests("full", lambda text: print(f"{text} ...", file=sys.stderr))
    found = {case.title: read_comparison(case.title, prices, processor) for case in CASES}
    text = misses.for_page(found, prices, processor)
    jobs = libraries.format_page(prices, misses.LIBRARY_PROCESSOR)
    if writes:
        write_page(PAGE, text, misses.MARKERS)
        write_page(PAGE, jobs, misses.LIBRARY_MARKERS)
    return f"{text}\n\n{jobs}"


if __name__ == "__main__":
    sys.exit(main())
