"""Commands about runs over whole libraries."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..app import app
from ..errors import CommandError, NotFound, WrongArgument
from ..exit_codes import ExitCode
from ..framework import Call

if TYPE_CHECKING:
    from cli.library.machine import Figures
    from cli.library.runs import Ended, Library

OPERATIONS = ("ingest", "infer", "presets")
TOLERATED_PERCENT, BATCH = 5.0, 25
LINE_EVERY_S = 15.0
"""How often a line is written to what is no terminal."""

STARTED = {"run": "name of the run", "execution": "ARN of the execution"}
ENDED = {
    "run": "name of the run",
    "status": "of the execution",
    "report": "S3 URL of the report",
    "summary": "the report: docs/guides/bulk-jobs.md",
}

ESTIMATED = {
    "operation": "operation of the job",
    "keys": "number of keys",
    "first": "first keys",
    "skipped": "number of objects whose name is not that of a key",
    "usd": "estimated cost in US dollars",
    "seconds": "estimated duration",
}

type Decorated = Callable[..., Any]


def followed(function: Decorated) -> Decorated:
    """Add the options of commands that start work."""
    option = click.option("--detach", is_flag=True, help="Do not wait for the end.")
    concurrency = click.option(
        "--concurrency", type=click.IntRange(min=0), default=0, help="Batches at a time; 0 is library_concurrency."
    )
    return concurrency(option(function))


@app.group()
def library() -> None:
    """Ingest, analyse or render again whole libraries (docs/guides/bulk-jobs.md)."""


@library.command(
    output={
        **ENDED,
        "execution": "ARN of the execution, with --detach",
        **{name: f"{about}, with --dry-run" for name, about in ESTIMATED.items()},
    },
    examples=(
        "darkroom library start --operation presets --prefix trips/ --dry-run",
        "darkroom library start --operation ingest --source old-photos --into archive/ --run moving",
    ),
)
@click.option("--operation", required=True, type=click.Choice(OPERATIONS))
@click.option("--prefix", default="", help="Only keys that start with this.")
@click.option("--inventory", default="", metavar="S3_URL", help="manifest.json of an S3 Inventory in CSV.")
@click.option("--keys", default="", metavar="S3_URL", help="List with a key a line.")
@click.option("--source", default="", metavar="BUCKET", help="Copy images from there (ingest; LibraryBucket).")
@click.option("--into", default="", metavar="PREFIX", help="Put before the keys of such copies.")
@click.option("--again", is_flag=True, help="Analyse again what models have analysed (infer).")
@click.option("--tolerated-failures", type=float, default=TOLERATED_PERCENT, show_default=True, metavar="PERCENT")
@click.option("--batch", type=click.IntRange(min=1), default=BATCH, show_default=True, help="Keys of a batch.")
@click.option("--run", "name", default="", metavar="NAME", help="Name of the run; by default operation and time.")
@click.option("--dry-run", is_flag=True, help="Only count the keys, and estimate cost and time.")
@followed
def start(
    call: Call,
    name: str,
    tolerated_failures: float,
    batch: int,
    dry_run: bool,
    concurrency: int,
    detach: bool,
    **given: Any,
) -> int:
    """Start a run and follow it. Ctrl-C leaves the run alone; `library stop` stops it.

    The exit code is 1 if a key has failed, or if the run was stopped.
    """
    if dry_run:
        _show_estimate(call, given, concurrency)
        return ExitCode.OK
    with _translated():
        run, arn = _library(call).start(
            given, name=name, concurrency=concurrency, tolerated=tolerated_failures, batch=batch
        )
    return _follow(call, run, arn, detach=detach)


@library.command(
    output={**ENDED, "execution": "ARN of the execution, with --detach"},
    examples=("darkroom library resume moving --concurrency 8",),
)
@click.argument("run")
@followed
def resume(call: Call, run: str, concurrency: int, detach: bool) -> int:
    """Go on with RUN: with keys that are not done, and with those that failed.

    The exit code is 1 if a key has failed, or if the run was stopped.
    """
    with _translated():
        arn = _library(call).resume(run, concurrency)
    return _follow(call, run, arn, detach=detach)


@library.command(output=ENDED, examples=("darkroom library watch moving",))
@click.argument("run")
def watch(call: Call, run: str) -> int:
    """Follow RUN until it ends, and print its report.

    The exit code is 1 if a key has failed, or if the run was stopped.
    """
    return _follow(call, run, "", detach=False)


@library.command(output=ENDED, examples=("darkroom library stop moving",))
@click.argument("run")
@click.option("--by", default=getpass.getuser, metavar="NAME", help="Name in the report (your user name).")
def stop(call: Call, run: str, by: str) -> None:
    """Stop RUN and print its report; `library resume` goes on with it.

    Batches that are being processed still end, and images that were requested from ingest or infer are still processed.
    """
    from cli.library.runs import describe

    found = _library(call)
    with _translated():
        summary = found.stop(run, by)
    url = found.report_url(run)
    call.emit(
        {"run": run, "status": "ABORTED", "report": url, "summary": dict(summary)},
        [*describe(summary), f"report: {url}"],
    )


@library.command(output=ENDED, examples=("darkroom library report moving --json",))
@click.argument("run")
def report(call: Call, run: str) -> int:
    """Print the summary of the report of RUN.

    The exit code is 1 if a key has failed, or if the run was stopped.
    """
    from cli.library.runs import describe, succeeded

    found = _library(call)
    with _translated():
        summary = found.summary(run)
    url = found.report_url(run)
    call.emit(
        {"run": run, "status": "REPORTED", "report": url, "summary": dict(summary)},
        [*describe(summary), f"report: {url}"],
    )
    return ExitCode.OK if succeeded(summary) else ExitCode.FAILED


def _show_estimate(call: Call, given: Mapping[str, Any], concurrency: int) -> None:
    from cli.library.estimate import describe
    from darkroom_pipeline.operations.cost_model import load_prices

    with _translated():
        spec, found = _library(call).estimate(given, concurrency)
    document = {
        "operation": spec.operation.value,
        "keys": found.keys,
        "first": list(found.first),
        "skipped": found.skipped,
        "usd": round(found.usd, 2),
        "seconds": round(found.seconds),
    }
    call.emit(document, [*describe(found, spec, load_prices()), "Nothing was started."])


def _library(call: Call) -> Library:
    from cli.library.runs import Library

    return Library.of(call.deployment)


@contextmanager
def _translated() -> Iterator[None]:
    from cli.library.runs import NoRun
    from darkroom.errors import BadRun

    try:
        yield
    except BadRun as error:
        raise WrongArgument(f"{error.message}.") from error
    except NoRun as error:
        raise NotFound(str(error)) from error


def _follow(call: Call, run: str, arn: str, *, detach: bool) -> int:
    from cli.library.runs import describe

    if arn:
        call.note(f"{run}: {arn}")
    found = _library(call)
    if detach:
        url = found.report_url(run)
        call.emit({"run": run, "status": "RUNNING", "report": url, "summary": {}, "execution": arn})
        return ExitCode.OK
    with _translated(), _bar() as show:
        ended: Ended = found.follow(run, show)
    url = found.report_url(run)
    call.emit(
        {"run": run, "status": ended.execution.status, "report": url, "summary": dict(ended.summary)},
        [*(describe(ended.summary) if ended.summary else ()), f"report: {url}"],
    )
    if ended.execution.status != "SUCCEEDED":
        raise CommandError(f"The run {ended.execution.status.lower()}: {ended.execution.cause}")
    return ExitCode.OK if ended.is_good else ExitCode.FAILED


@contextmanager
def _bar() -> Iterator[Callable[[Figures], None]]:
    """Show a run's figures on standard error: a bar on a terminal, a line now and then elsewhere."""
    from ..progress import progress

    last_s = float("-inf")
    with progress() as bars:
        task = bars.add_task("listing", total=None)

        def show(figures: Figures) -> None:
            nonlocal last_s
            counts = f"batches, {figures.failed:,} failed, {figures.running:,} running"
            text = counts if figures.total else "listing"
            bars.update(task, total=figures.total or None, completed=figures.over, description=text)
            now_s = time.monotonic()
            is_over = bool(figures.total) and figures.over == figures.total
            if bars.disable and (is_over or now_s - last_s >= LINE_EVERY_S):
                last_s = now_s
                sys.stderr.write(f"{figures.over:,}/{figures.total:,} {text}\n" if figures.total else f"{text}\n")

        yield show
