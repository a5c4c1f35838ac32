"""Commands about models: findings, versions in the registry, the golden set, and comparisons of versions."""

from __future__ import annotations

import getpass
import json
import subprocess
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import ROOT
from ..app import app
from ..errors import CommandError, NotFound, WrongArgument
from ..exit_codes import ExitCode
from ..framework import Call

if TYPE_CHECKING:
    from darkroom.mlops.model_registry import ModelRegistry, ModelVersion
    from tools.replay.sides import Side

ANSWERS_WITHIN_S = 65.0
"""SageMaker itself gives up after 60 s."""

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@app.group()
def findings() -> None:
    """Show what models found in images, choose the generation that is used, analyse images again."""


@findings.command(
    output={
        "key": "key",
        "generation": "active generation",
        "state": "`no-picture`, `pending` or `found`",
        "findings": "the findings, or null: docs/guides/image-analysis.md",
    }
)
@click.argument("key")
def show(call: Call, key: str) -> None:
    """Print what models found in the image under KEY, in the active generation."""
    from darkroom.aws.documents import DocumentStore
    from darkroom.aws.findings_store import FindingsStore
    from darkroom.findings import findings_to_document

    deployment, generation = call.deployment, _generation(call)
    bucket, names = deployment.masters()
    master = bucket.head(names.name(key))
    if master is None:
        raise NotFound(f"There is no image with the key {key}.")
    documents = DocumentStore(deployment.client("dynamodb"), deployment.output("IndexTableName"))
    sidecar = FindingsStore(deployment.bucket("MediaBucketName"), documents).read_sidecar(generation, key)
    known = sidecar.findings if sidecar else None
    if known is None or known.source_etag != master.etag.strip('"'):
        document = {"key": key, "generation": generation, "state": "pending", "findings": None}
        call.emit(document, [f"{key}: not analysed yet in generation {generation}"])
        return
    found = findings_to_document(known)
    lines = [f"{key}, generation {generation}", json.dumps(found, indent=2)]
    call.emit({"key": key, "generation": generation, "state": "found", "findings": found}, lines)


@findings.command(output={"generation": "the active generation"})
def active(call: Call) -> None:
    """Print the generation of findings that images are rendered with."""
    generation = _generation(call)
    call.emit({"generation": generation}, [generation])


@findings.command(output={"generation": "the active generation"})
@click.argument("generation")
def activate(call: Call, generation: str) -> None:
    """Render images with GENERATION of findings. Nothing is deleted."""
    import re

    from darkroom.plan.options import GENERATION_TYPE
    from tools.settings.edge import GENERATION_ENTRY, StoreConflict
    from tools.settings.stacks import target_of

    if not re.fullmatch(GENERATION_TYPE.pattern, generation):
        raise WrongArgument(f"A generation has a name of {GENERATION_TYPE.allowed_values}.")
    try:
        target_of(call.deployment).edge.update({GENERATION_ENTRY: generation}, [])
    except StoreConflict as error:
        raise CommandError("The key-value store was written to at the same time. Run it again.") from error
    call.emit({"generation": generation}, [generation])


@findings.command(output={"queued": "number of images"})
@click.option("--below", default="", metavar="PREFIX", help="Only keys that start with this.")
@click.option("--again", is_flag=True, help="Analyse again what was analysed in this generation.")
def reanalyse(call: Call, below: str, again: bool) -> None:
    """Have models analyse all images: for a new generation of findings, or by a new endpoint.

    An image that the endpoint has analysed in the active generation is skipped. The command may be repeated.
    """
    from darkroom.aws.sqs import Queue
    from darkroom.services.inference.messages import AnalysisRequest, RequestKind

    deployment = call.deployment
    queue = Queue(deployment.client("sqs"), deployment.output("InferQueueUrl"))
    messages = (AnalysisRequest(RequestKind.ANALYSE, key, again=again).message for key in deployment.master_keys(below))
    count = queue.send_many(messages)
    call.emit({"queued": count}, [f"queued: {count}"])


def _generation(call: Call) -> str:
    from tools.settings.edge import active_generation
    from tools.settings.stacks import target_of

    return active_generation(target_of(call.deployment).edge.read())


@app.group()
def registry() -> None:
    """List, register, approve and reject versions of models (docs/guides/models.md)."""


VERSION = {"versions": "per version: `version`, `arn`, `image`, `approval`, `why`, `metrics` and `lineage`"}


@registry.command("list", output=VERSION)
def list_versions(call: Call) -> None:
    """List all versions, the newest first."""
    found = _registry(call)
    versions = found.list_versions()
    lines = [line for one in versions for line in _described(one)] or [f"{found.group} has no versions"]
    call.emit({"versions": [_document(one) for one in versions]}, lines)


@registry.command(output={"arn": "of the new version"})
@click.option("--image", required=True, help="Image of the container; on this machine a folder of models.")
@click.option("--metrics", type=FILE, metavar="FILE", help="JSON of figures by name, as `replay --metrics` writes it.")
@click.option("--dataset", help="Manifest that it was trained with.")
@click.option("--parent", help="Version that it comes from.")
@click.option("--revision", help="Revision of the training code; by default that of the checkout in this folder.")
@click.option("--description", default="")
def register(
    call: Call,
    image: str,
    metrics: Path | None,
    dataset: str | None,
    parent: str | None,
    revision: str | None,
    description: str,
) -> None:
    """Register a version, which waits for approval."""
    from darkroom.mlops.model_registry import ModelVersion

    origins = {"dataset": dataset, "parent": parent, "revision": revision or _revision()}
    folder = Path(image)
    model = ModelVersion(
        image=folder.resolve().as_uri() if folder.is_dir() else image,
        metrics=_figures(metrics) if metrics else {},
        lineage={name: text for name, text in origins.items() if text},
        description=description,
    )
    try:
        arn = _registry(call).register(model)
    except ValueError as error:
        raise WrongArgument(str(error)) from error
    call.emit({"arn": arn}, [arn])


def _judge(decision: str, done: str) -> Callable[..., None]:
    """Make the command that approves or rejects a version."""

    @registry.command(
        decision, output={"arn": "of the version"}, help=f"{decision.title()} VERSION, its number or ARN."
    )
    @click.argument("version")
    @click.option("--why", required=True, metavar="TEXT", help="Reason, for the registry and the audit log.")
    @click.option("--by", default=getpass.getuser, metavar="NAME", help="Name in the audit log (your user name).")
    def judge(call: Call, version: str, why: str, by: str) -> None:
        from darkroom.aws.audit import RELEASE, AuditLog

        found = _registry(call)
        arn = _arn(found, version)
        {"approve": found.approve, "reject": found.reject}[decision](arn, why)
        AuditLog(call.deployment.bucket("AuditBucketName")).write(RELEASE, arn, by, decision=decision, why=why)
        call.emit({"arn": arn}, [f"{arn} {done}"])

    return judge


approve, reject = _judge("approve", "approved"), _judge("reject", "rejected")


def _registry(call: Call) -> ModelRegistry:
    from darkroom.mlops.model_registry import ModelRegistry

    return ModelRegistry(call.deployment.client("sagemaker"), call.deployment.output("ModelGroupName"))


def _described(one: ModelVersion) -> Iterable[str]:
    yield f"{one.version}  {one.approval}  {one.image}" + (f"  ({one.reason})" if one.reason else "")
    figures = [f"{name} {value:g}" for name, value in sorted(one.metrics.items())]
    origins = [f"{name} {text}" for name, text in sorted(one.lineage.items())]
    for facts in (figures, origins):
        if facts:
            yield "    " + ", ".join(facts)


def _document(one: ModelVersion) -> dict[str, Any]:
    return {
        "version": one.version,
        "arn": one.arn,
        "image": one.image,
        "approval": one.approval,
        "why": one.reason,
        "metrics": dict(one.metrics),
        "lineage": dict(one.lineage),
    }


def _figures(path: Path) -> dict[str, float]:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in document.values()
    ):
        raise WrongArgument(f"{path} is no JSON object of numbers.")
    return {name: float(value) for name, value in document.items()}


def _revision() -> str:
    """The revision of the checkout in the current folder, empty where there is none."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _arn(found: ModelRegistry, version: str) -> str:
    if not version.isdigit():
        return version
    known = {one.version: one.arn for one in found.list_versions()}
    if int(version) not in known:
        raise NotFound(f"{found.group} has no version {version}.")
    return known[int(version)]


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


@app.command(
    output={
        "images": "number that both sides answered",
        "unanswered": "number that one side did not answer",
        "agrees": "whether each task agrees in --min-agreement of the images",
        "metrics": "figures by name, as --metrics writes them",
    }
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
    from tools.replay.agreement import agree, figures, rows, table
    from tools.replay.inputs import pictures
    from tools.replay.replaying import replay

    if (variants is None) == (folders is None):
        raise WrongArgument("Compare either two --variants or two --folders.")
    if below is not None and manifest is not None:
        raise WrongArgument("--below and --manifest exclude each other.")
    asked = tasks.split(",") if tasks else None
    sides, chosen = (
        _folder_sides(folders, asked) if folders else _variant_sides(call, variants or ("", ""), endpoint, asked)
    )
    bucket, _ = call.deployment.masters()
    jpegs = islice(pictures(bucket, _names(call, below, manifest)), limit)
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


def _names(call: Call, below: str | None, manifest: str | None) -> Iterable[str]:
    """Names of the objects that are replayed."""
    from darkroom.mlops.sample_store import SampleStore
    from tools.replay.inputs import listed, sampled

    deployment = call.deployment
    bucket, names = deployment.masters()
    if manifest is not None:
        return listed(bucket, manifest)
    if below is not None:
        return map(names.name, deployment.master_keys(below))
    return sampled(SampleStore(deployment.client("dynamodb"), deployment.output("IndexTableName")), names)


def _folder_sides(folders: tuple[Path, Path], asked: list[str] | None) -> tuple[tuple[Side, Side], list[str]]:
    from tools.replay.sides import FolderSide, common_tasks

    tasks = asked or common_tasks(folders)
    first, second = (FolderSide(folder.resolve(), tasks) for folder in folders)
    return (first, second), tasks


def _variant_sides(
    call: Call, variants: tuple[str, str], endpoint: str | None, asked: list[str] | None
) -> tuple[tuple[Side, Side], list[str]]:
    from darkroom.aws.sagemaker import Endpoint
    from darkroom.services.service_settings import configured_tasks as configured
    from darkroom.settings import DEFAULTS
    from tools.replay.sides import VariantSide

    runtime = call.deployment.client("sagemaker-runtime", read_s=ANSWERS_WITHIN_S, attempts=1)
    served = Endpoint(runtime, endpoint or call.deployment.output("InferEndpointName"))
    one, other = (VariantSide(served, name) for name in variants)
    return (one, other), asked or list(configured(DEFAULTS))
