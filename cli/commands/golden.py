"""Commands about the golden set, and models to try a bad release."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .. import ROOT
from ..app import app
from ..exit_codes import ExitCode
from ..framework import FOLDER, Call
from ..terminal import Table


@app.group()
def golden() -> None:
    """The golden set: labelled images by which models are judged (docs/guides/models.md)."""


@golden.command(
    output={"images": "number of images"},
    in_development=True,
    examples=("darkroom golden put labelled --stack shop",),
)
@click.argument("folder", type=FOLDER)
def put(call: Call, folder: Path) -> None:
    """Replace the golden set by the images of FOLDER, which manifest.jsonl labels."""
    from cli.golden import put as replace
    from cli.golden import read_folder

    count = replace(call.deployment.bucket("MediaBucketName"), read_folder(folder))
    call.emit({"images": count}, [f"images: {count}"])


@golden.command(
    "list",
    output={
        "images": "per image its line of the manifest, with the labels that it has",
        "labelled": "per task the number of images with a label; a task with 0 is not measured",
    },
    examples=("darkroom golden list",),
)
def list_golden(call: Call) -> None:
    """List the golden set."""
    from cli.golden import describe_coverage, describe_labels, line_of, shown
    from darkroom_analysis.mlops.golden_set import count_labelled

    found = shown(call.deployment.bucket("MediaBucketName"))
    labelled = count_labelled(found)
    document = {"images": [json.loads(line_of(one)) for one in found], "labelled": labelled}
    rows = [(one.key, describe_labels(one)) for one in found]
    table = Table(("image", "labels"), rows, ["  ".join(row) for row in rows])
    call.emit(document, [table, describe_coverage(labelled)])


@golden.command(
    output={
        "weeks": "Mondays of the weeks, the current one last",
        "trends": "per `task`, `variant` and `metric`: the average of each week in percent (`by_week`, null without a "
        "check), and the `change` of the newest week in points",
    },
    examples=("darkroom golden trend --weeks 8 --max-drop 2",),
)
@click.option("--weeks", type=click.IntRange(min=2, max=52), default=12, show_default=True, metavar="WEEKS")
@click.option("--max-drop", type=float, default=5.0, show_default=True, metavar="POINTS")
def trend(call: Call, weeks: int, max_drop: float) -> int:
    """Print the accuracy of the models on the golden set by week.

    The exit code is 1 if a metric of the newest week is worse than the average of the weeks before by more than
    --max-drop, and if no model was evaluated in the last two weeks: what is not measured has not passed.
    """
    import time

    from cli.accuracy_trend import format_trends, list_weeks, read_trends

    mondays = list_weeks(time.time(), weeks)
    found = read_trends(call.deployment.client("cloudwatch"), f"Darkroom/{call.deployment.name}", mondays)
    rows = [
        {"task": one.task, "variant": one.variant, "metric": one.metric, "by_week": one.by_week, "change": one.change}
        for one in found
    ]
    lines = list(format_trends(found, mondays)) if found else ["No model was evaluated in the last two weeks."]
    call.emit({"weeks": [week.isoformat() for week in mondays], "trends": rows}, lines)
    worse_ones = [f"{one.task} {one.variant} {one.metric}" for one in found if one.is_worse(max_drop)]
    for name in worse_ones:
        call.note(f"{name} is worse by more than {max_drop:g} points")
    return ExitCode.FAILED if worse_ones or not found else ExitCode.OK


@golden.command(
    output={"folder": "the folder"},
    on_stack=False,
    in_development=True,
    examples=("darkroom golden worse .local/worse",),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--models", type=FOLDER, default=ROOT / ".local" / "models", help="Models to start from (.local/models).")
def worse(call: Call, folder: Path, models: Path) -> None:
    """Fill FOLDER with models whose moderation is wrong, to try a bad release."""
    from cli.models.degraded_model import write_degraded_models

    write_degraded_models(models, folder)
    call.emit({"folder": str(folder.resolve())}, [str(folder.resolve())])
