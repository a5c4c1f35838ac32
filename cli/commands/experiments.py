"""Commands about experiments: results of a stack, and simulations."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..app import app
from ..errors import WrongArgument
from ..framework import Call

if TYPE_CHECKING:
    from darkroom.settings import Settings

PAGE = click.option(
    "--page", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a page with charts."
)
RESULTS = {
    "experiments": "per experiment: `name`, `run`, `state`, `winner`, `since`, `requests`, `refused`, `decisions`, and "
    "per variant `preset`, `visitors`, `clicks`, `rate`, its bounds `at_least` and `at_most`, and `stopped`"
}


@app.group()
def experiments() -> None:
    """Show the results of experiments, and simulate them (docs/guides/experiments.md)."""


@experiments.command(output=RESULTS, examples=("darkroom experiments report --page results.html",))
@PAGE
def report(call: Call, page: Path | None) -> None:
    """Show visitors, clicks and rates of the experiments of the settings in force, and what was decided."""
    from cli.experiments.results import format_lines, format_page, read_results, to_document

    media = call.deployment.bucket("MediaBucketName")
    found = read_results(media, _settings(call))
    if page is not None:
        page.write_text(format_page(found, time.time()), encoding="utf-8")
        call.note(f"Wrote {page}")
    lines = [line for one in found for line in format_lines(one)] or ["The settings have no experiments."]
    call.emit({"experiments": [to_document(one) for one in found]}, lines)


def _settings(call: Call) -> Settings:
    from cli.settings.store import SettingsStore
    from darkroom.settings import parse_settings

    return parse_settings(SettingsStore(call.deployment.bucket("MediaBucketName")).current().table)


@experiments.command(
    on_stack=False,
    output={
        "runs": "number of runs",
        "undecided": "runs in which no variant was stopped",
        "winners": "runs by the variant that won",
        "visitors": "median of the visitors of the runs that have a winner, null without one",
    },
    examples=("darkroom experiments simulate 0.05,0.06 --page simulated.html",),
)
@click.argument("rates")
@click.option("--visitors", type=click.IntRange(1_000, 10_000_000), default=50_000, show_default=True, metavar="N")
@click.option("--runs", type=click.IntRange(1, 10_000), default=100, show_default=True, metavar="N")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N")
@PAGE
def simulate(call: Call, rates: str, visitors: int, runs: int, seed: int, page: Path | None) -> None:
    """Simulate an experiment whose variants have RATES, such as 0.05,0.06: at most so many visitors, in several runs.

    The rule and its settings are the defaults. The page shows the first run.
    """
    from statistics import median

    from cli.experiments.results import format_page
    from cli.experiments.simulation import simulate as simulate_run
    from darkroom.plan.experiments import MAX_VARIANTS, Experiment
    from darkroom.settings import DEFAULTS
    from darkroom_pipeline.experiments.rules import Policy

    try:
        given = [float(rate) for rate in rates.split(",")]
    except ValueError:
        given = []
    if not 2 <= len(given) <= MAX_VARIANTS or not all(0 <= rate <= 1 for rate in given):
        raise WrongArgument(f"RATES are 2 to {MAX_VARIANTS} numbers from 0 to 1, with commas between them.")
    named = {chr(ord("a") + number): rate for number, rate in enumerate(given)}
    experiment = Experiment("simulated", tuple((preset, 1) for preset in named))
    policy = Policy(DEFAULTS.experiment_confidence, DEFAULTS.experiment_visitors)
    found = [simulate_run(experiment, named, policy, visitors=visitors, seed=seed + number) for number in range(runs)]
    winners = {preset: sum(one.winner == preset for one in found) for preset in named}
    undecided = sum(not one.stopped for one in found)
    needed = median(one.visitors for one in found if one.winner) if any(winners.values()) else None
    if page is not None:
        page.write_text(format_page([found[0].results], found[0].visitors), encoding="utf-8")
        call.note(f"Wrote {page}")
    lines = [
        f"{preset} ({rate:.2%} of its visitors click) won {winners[preset]} of {runs} runs"
        for preset, rate in named.items()
    ]
    lines.append(f"no variant was stopped in {undecided} runs")
    lines += [f"a run with a winner took {needed:,.0f} visitors (median)"] if needed is not None else []
    call.emit({"runs": runs, "undecided": undecided, "winners": winners, "visitors": needed}, lines)
