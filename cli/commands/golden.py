"""Commands about the golden set, and models to try a bad release."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .. import ROOT
from ..app import app
from ..framework import FOLDER, Call


@app.group()
def golden() -> None:
    """The golden set: labelled images by which models are judged (docs/guides/models.md)."""


@golden.command(output={"images": "number of images"})
@click.argument("folder", type=FOLDER)
def put(call: Call, folder: Path) -> None:
    """Replace the golden set by the images of FOLDER, which manifest.jsonl labels."""
    from tools.golden import put as replace
    from tools.golden import read_folder

    count = replace(call.deployment.bucket("MediaBucketName"), read_folder(folder))
    call.emit({"images": count}, [f"images: {count}"])


@golden.command("list", output={"images": "per image its name, and `faces`, `unsafe` and `text` as far as labelled"})
def list_golden(call: Call) -> None:
    """List the golden set."""
    from tools.golden import describe, line_of, shown

    found = shown(call.deployment.bucket("MediaBucketName"))
    document = {"images": [json.loads(line_of(one)) for one in found]}
    call.emit(document, [describe(one) for one in found] or ["There is no golden set."])


@golden.command(output={"folder": "the folder"}, on_stack=False)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--models", type=FOLDER, default=ROOT / ".local" / "models", help="Models to start from (.local/models).")
def worse(call: Call, folder: Path, models: Path) -> None:
    """Fill FOLDER with models whose moderation is wrong, to try a bad release."""
    from tools.degraded_model import write_degraded_models

    write_degraded_models(models, folder)
    call.emit({"folder": str(folder.resolve())}, [str(folder.resolve())])
