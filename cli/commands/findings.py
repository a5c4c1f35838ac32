"""Commands about findings: what models found in images, and the generation of findings that is used."""

from __future__ import annotations

import json

import click

from ..app import app
from ..errors import CommandError, NotFound, WrongArgument
from ..framework import Call


@app.group()
def findings() -> None:
    """Show what models found in images, choose the generation that is used, analyse images again."""


@findings.command(
    output={
        "key": "key",
        "generation": "active generation",
        "state": "`no-picture`, `pending` or `found`",
        "findings": "the findings, or null: docs/guides/image-analysis.md",
    },
    examples=("darkroom findings show trips/rome.jpg --json",),
)
@click.argument("key")
def show(call: Call, key: str) -> None:
    """Print what models found in the image under KEY, in the active generation."""
    from darkroom.findings import findings_to_document
    from darkroom_pipeline.aws.documents import DocumentStore
    from darkroom_pipeline.aws.findings_store import FindingsStore

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
    lines = [f"{key}, generation {generation}", *json.dumps(found, indent=2).splitlines()]
    call.emit({"key": key, "generation": generation, "state": "found", "findings": found}, lines)


@findings.command(output={"generation": "the active generation"}, examples=("darkroom findings active",))
def active(call: Call) -> None:
    """Print the generation of findings that images are rendered with."""
    generation = _generation(call)
    call.emit({"generation": generation}, [generation])


@findings.command(
    output={"generation": "the active generation"}, examples=("darkroom findings activate 2 --stack shop",)
)
@click.argument("generation")
def activate(call: Call, generation: str) -> None:
    """Render images with GENERATION of findings. Nothing is deleted."""
    import re

    from cli.settings.stacks import target_of
    from darkroom.plan.options import GENERATION_TYPE
    from darkroom_pipeline.aws.edge_store import StoreConflict
    from darkroom_pipeline.services.edge_publication import GENERATION_ENTRY

    if not re.fullmatch(GENERATION_TYPE.pattern, generation):
        raise WrongArgument(f"A generation has a name of {GENERATION_TYPE.allowed_values}.")
    try:
        target_of(call.deployment).edge.update({GENERATION_ENTRY: generation}, [])
    except StoreConflict as error:
        raise CommandError("The key-value store was written to at the same time. Run it again.") from error
    call.emit({"generation": generation}, [generation])


@findings.command(output={"queued": "number of images"}, examples=("darkroom findings reanalyse --below trips/",))
@click.option("--below", default="", metavar="PREFIX", help="Only keys that start with this.")
@click.option("--again", is_flag=True, help="Analyse again what was analysed in this generation.")
def reanalyse(call: Call, below: str, again: bool) -> None:
    """Have models analyse all images: for a new generation of findings, or by a new endpoint.

    An image that the endpoint has analysed in the active generation is skipped. The command may be repeated.
    """
    from darkroom_pipeline.aws.sqs import Queue
    from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind

    deployment = call.deployment
    queue = Queue(deployment.client("sqs"), deployment.output("InferQueueUrl"))
    messages = (AnalysisRequest(RequestKind.ANALYSE, key, again=again).message for key in deployment.master_keys(below))
    count = queue.send_many(messages)
    call.emit({"queued": count}, [f"queued: {count}"])


def _generation(call: Call) -> str:
    from cli.settings.stacks import target_of
    from darkroom_pipeline.services.edge_publication import active_generation

    return active_generation(target_of(call.deployment).edge.read())
