"""Commands about versions of models in the registry."""

from __future__ import annotations

import getpass
import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..app import app
from ..errors import NotFound, WrongArgument
from ..framework import FILE, Call
from ..terminal import Line, Style

if TYPE_CHECKING:
    from darkroom_analysis.mlops.model_registry import ModelRegistry, ModelVersion


@app.group()
def registry() -> None:
    """List, register, approve and reject versions of models (docs/guides/models.md)."""


VERSION = {"versions": "per version: `version`, `arn`, `image`, `approval`, `why`, `metrics` and `lineage`"}


@registry.command("list", output=VERSION, examples=("darkroom registry list --stack shop",))
def list_versions(call: Call) -> None:
    """List all versions, the newest first."""
    found = open_registry(call)
    versions = found.list_versions()
    lines = [line for one in versions for line in _format_version(one)] or [f"{found.group} has no versions"]
    call.emit({"versions": [_to_document(one) for one in versions]}, lines)


@registry.command(
    output={"arn": "of the new version"},
    examples=("darkroom registry register --image .local/fabrics --metrics .local/fabrics/metrics.json",),
)
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
    from darkroom_analysis.mlops.model_registry import ModelVersion

    origins = {"dataset": dataset, "parent": parent, "revision": revision or checkout_revision()}
    folder = Path(image)
    model = ModelVersion(
        image=folder.resolve().as_uri() if folder.is_dir() else image,
        metrics=_read_metrics(metrics) if metrics else {},
        lineage={name: text for name, text in origins.items() if text},
        description=description,
    )
    try:
        arn = open_registry(call).register(model)
    except ValueError as error:
        raise WrongArgument(str(error)) from error
    call.emit({"arn": arn}, [arn])


def _make_decision_command(decision: str, done: str, why: str) -> Callable[..., None]:
    """Make the command that approves or rejects a version; ``why`` is the reason in its example."""

    @registry.command(
        decision,
        output={"arn": "of the version"},
        help=f"{decision.title()} VERSION, its number or ARN.",
        examples=(f"darkroom registry {decision} 4 --why '{why}'",),
    )
    @click.argument("version")
    @click.option("--why", required=True, metavar="TEXT", help="Reason, for the registry and the audit log.")
    @click.option("--by", default=getpass.getuser, metavar="NAME", help="Name in the audit log (your user name).")
    def decide(call: Call, version: str, why: str, by: str) -> None:
        from darkroom_pipeline.aws.audit import RELEASE, AuditLog

        found = open_registry(call)
        arn = _find_arn(found, version)
        {"approve": found.approve, "reject": found.reject}[decision](arn, why)
        AuditLog(call.deployment.bucket("AuditBucketName")).write(RELEASE, arn, by, decision=decision, why=why)
        call.emit({"arn": arn}, [f"{arn} {done}"])

    return decide


approve = _make_decision_command("approve", "approved", "better on the golden set")
reject = _make_decision_command("reject", "rejected", "worse on the golden set")


def open_registry(call: Call) -> ModelRegistry:
    """Return the model registry of the stack. Raises MissingOutput."""
    from darkroom_analysis.mlops.model_registry import ModelRegistry

    return ModelRegistry(call.deployment.client("sagemaker"), call.deployment.output("ModelGroupName"))


def _format_version(one: ModelVersion) -> Iterable[str]:
    style = {"Approved": Style.GOOD, "Rejected": Style.PROBLEM}.get(one.approval, Style.PLAIN)
    reason = f"  ({one.reason})" if one.reason else ""
    yield Line((str(one.version), Style.HEADING), "  ", (one.approval, style), f"  {one.image}{reason}")
    metrics = [f"{name} {value:g}" for name, value in sorted(one.metrics.items())]
    origins = [f"{name} {text}" for name, text in sorted(one.lineage.items())]
    for pairs in (metrics, origins):
        if pairs:
            yield "    " + ", ".join(pairs)


def _to_document(one: ModelVersion) -> dict[str, Any]:
    return {
        "version": one.version,
        "arn": one.arn,
        "image": one.image,
        "approval": one.approval,
        "why": one.reason,
        "metrics": dict(one.metrics),
        "lineage": dict(one.lineage),
    }


def _read_metrics(path: Path) -> dict[str, float]:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in document.values()
    ):
        raise WrongArgument(f"{path} is no JSON object of numbers.")
    return {name: float(value) for name, value in document.items()}


def checkout_revision() -> str:
    """Return the revision of the checkout in the current folder, "" without one."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _find_arn(found: ModelRegistry, version: str) -> str:
    if not version.isdigit():
        return version
    known = {one.version: one.arn for one in found.list_versions()}
    if int(version) not in known:
        raise NotFound(f"{found.group} has no version {version}.")
    return known[int(version)]
