"""The command that compares two versions of the models."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..app import app
from ..errors import CommandError, WrongArgument
from ..exit_codes import ExitCode
from ..framework import FOLDER, Call

if TYPE_CHECKING:
    from cli.replay.sides import Side

READ_TIMEOUT_S = 65.0
"""SageMaker itself gives up after 60 s."""


@app.command(
    in_development=True,
    output={
        "images": "number that both sides answered",
        "unanswered": "number that one side did not answer",
        "agrees": "whether each task agrees in --min-agreement of the images",
        "metrics": "figures by name, as --metrics writes them",
    },
    examples=(
        "darkroom replay --variants main canary --stack shop --limit 500",
        "darkroom replay --folders .local/models .local/fabrics",
    ),
)
@click.option("--variants", nargs=2, metavar="A B", help="Two production variants of the endpoint.")
@click.option(
    "--folders", nargs=2, type=FOLDER, metavar="A B", help="Two folders of models, which run in this process."
)
@click.option("--endpoint", metavar="NAME", help="Endpoint; by default that of the stack.")
@click.option(
    "--below", metavar="PREFIX", help="Masters whose keys start with this, instead of those that samples are of."
)
@click.option("--manifest", metavar="KEY", help="Images of a manifest in the media bucket, for training.")
@click.option("--tasks", metavar="A,B", help="Tasks; by default all that both sides can do.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Images at most.")
@click.option("--min-agreement", type=click.FloatRange(0, 1), default=0.9, show_default=True, metavar="SHARE")
@click.option(
    "--metrics", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures there, for `registry`."
)
def replay(
    call: Call,
    variants: tuple[str, str] | None,
    folders: tuple[Path, Path] | None,
    endpoint: str | None,
    below: str | None,
    manifest: str | None,
    tasks: str | None,
    limit: int,
    min_agreement: float,
    metrics: Path | None,
) -> int:
    """Show stored images to two versions of the models, and compare what they find.

    The exit code is 1 if they disagree, or if an image was not answered.
    """
    from cli.replay.agreement import agree, figures, rows, table
    from cli.replay.inputs import images
    from cli.replay.replaying import replay

    if (variants is None) == (folders is None):
        raise WrongArgument("Compare either two --variants or two --folders.")
    if below is not None and manifest is not None:
        raise WrongArgument("--below and --manifest exclude each other.")
    wanted = tasks.split(",") if tasks else None
    sides, chosen = (
        _folder_sides(folders, wanted) if folders else _variant_sides(call, variants or ("", ""), endpoint, wanted)
    )
    bucket, _ = call.deployment.masters()
    jpegs = islice(images(bucket, _list_names(call, below, manifest)), limit)
    pairs, failed = replay(jpegs, sides, chosen, call.note)
    if not pairs:
        raise CommandError("There is nothing to compare: no image was answered by both.")
    found = rows(pairs)
    agrees = not failed and agree(found, min_agreement)
    if metrics:
        metrics.write_text(json.dumps(figures(found), indent=2) + "\n", encoding="utf-8")
    lines = [*table(found, pairs, (sides[0].name, sides[1].name)), *([f"not answered: {failed}"] if failed else [])]
    call.emit({"images": len(pairs), "unanswered": failed, "agrees": agrees, "metrics": figures(found)}, lines)
    return ExitCode.OK if agrees else ExitCode.FAILED


def _list_names(call: Call, below: str | None, manifest: str | None) -> Iterable[str]:
    """Return the names of the objects to replay."""
    from cli.replay.inputs import listed, sampled
    from darkroom_analysis.mlops.sample_store import SampleStore

    deployment = call.deployment
    bucket, names = deployment.masters()
    if manifest is not None:
        return listed(bucket, manifest)
    if below is not None:
        return map(names.name, deployment.master_keys(below))
    return sampled(SampleStore(deployment.client("dynamodb"), deployment.output("IndexTableName")), names)


def _folder_sides(folders: tuple[Path, Path], wanted: list[str] | None) -> tuple[tuple[Side, Side], list[str]]:
    from cli.replay.sides import FolderSide, common_tasks

    tasks = wanted or common_tasks(folders)
    first, second = (FolderSide(folder.resolve(), tasks) for folder in folders)
    return (first, second), tasks


def _variant_sides(
    call: Call, variants: tuple[str, str], endpoint: str | None, wanted: list[str] | None
) -> tuple[tuple[Side, Side], list[str]]:
    from cli.replay.sides import VariantSide
    from darkroom.services.live_settings import build_task_rules
    from darkroom.settings import DEFAULTS
    from darkroom_pipeline.aws.sagemaker import Endpoint

    runtime = call.deployment.client("sagemaker-runtime", read_s=READ_TIMEOUT_S, attempts=1)
    served = Endpoint(runtime, endpoint or call.deployment.output("InferEndpointName"))
    one, other = (VariantSide(served, name) for name in variants)
    return (one, other), wanted or list(build_task_rules(DEFAULTS).list_all())
