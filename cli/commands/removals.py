"""Commands that remove images: derivatives and what the CDN has of them, or every trace."""

from __future__ import annotations

import getpass
import time
from collections.abc import Mapping
from typing import Any, TextIO
from urllib.parse import unquote

import click

from ..app import app
from ..erasure import describe, summarise
from ..errors import CommandError, NotFound, WrongArgument
from ..exit_codes import ExitCode
from ..framework import Call, ask
from ..progress import progress


@app.command(
    output={
        "keys": "number of keys that are being purged, or with --dry-run would be",
        "usd": "most that their purge costs, in US dollars without free tiers; null with --all",
        "seconds": "about how long it takes; null with --all",
        "invalidation": "id of the invalidation of --all",
    },
    examples=(
        "darkroom purge trips/rome.jpg",
        "darkroom purge --prefix trips/ --dry-run",
    ),
)
@click.argument("keys", nargs=-1)
@click.option("--prefix", metavar="PREFIX", help="Every master whose key starts with this.")
@click.option(
    "--manifest", type=click.File(encoding="utf-8"), metavar="FILE", help="A key a line; - is standard input."
)
@click.option("--all", "is_all", is_flag=True, help="Delete all derivatives, and invalidate the whole CDN.")
@click.option("--dry-run", is_flag=True, help="Only count the keys, and estimate cost and time.")
@click.option("--yes", is_flag=True, help="Do not ask before --all, or before many keys.")
def purge(
    call: Call,
    keys: tuple[str, ...],
    prefix: str | None,
    manifest: TextIO | None,
    is_all: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Purge KEYS from the store of derivatives and from the CDN.

    A purge deletes what was not rendered from the present master, and the CDN's copies. Overwrites and deletions of
    uploads purge by themselves. Masters that were deleted are not found by --prefix: name them, or list them in a
    manifest.
    """
    if sum((bool(keys), prefix is not None, manifest is not None, is_all)) != 1:
        raise WrongArgument("Name keys, or --prefix, or --manifest, or --all.")
    if is_all:
        if dry_run:
            raise WrongArgument("--dry-run is for keys, --prefix and --manifest.")
        if not yes:
            ask("Delete all derivatives, and have them rendered again?")
        deleted, invalidation = _purge_all(call)
        lines = [f"{deleted} derivatives deleted, invalidation {invalidation}"]
        call.emit({"keys": deleted, "usd": None, "seconds": None, "invalidation": invalidation}, lines)
        return
    from cli import purging
    from darkroom_pipeline.aws.sqs import Queue
    from darkroom_pipeline.operations.cost_model import load_prices
    from darkroom_pipeline.services.purge.stale_derivatives import purge_message

    try:
        lines_of_keys = keys if manifest is None else manifest
        found = list(call.deployment.master_keys(prefix)) if prefix is not None else purging.parse_keys(lines_of_keys)
    except (purging.BadKeys, UnicodeDecodeError) as error:
        raise WrongArgument(f"{error}.") from error
    has_dialects = call.deployment.parameters.get("Dialects") == "on"
    expected = purging.estimate(len(found), dialects=has_dialects, prices=load_prices())
    document = {"keys": len(found), "usd": expected.usd, "seconds": expected.seconds, "invalidation": None}
    if dry_run:
        call.emit(document, [expected.describe()])
        return
    if len(found) >= purging.ASKED_FROM and not yes:
        ask(f"Purge {expected.describe()}?")
    queue = Queue(call.deployment.client("sqs"), call.deployment.output("PurgeQueueUrl"))
    count = queue.send_many(purge_message(key) for key in found)
    call.emit(document, [f"purging {count} {'key' if count == 1 else 'keys'}"])


def _purge_all(call: Call) -> tuple[int, str]:
    """Delete all derivatives and invalidate ``/*``; their number and the invalidation's id."""
    media, deleted = call.deployment.bucket("MediaBucketName"), 0
    with progress() as bars:
        task = bars.add_task("delete", total=None)
        for page in media.list_pages("derivatives/"):
            deleted += media.delete_many(page)
            bars.update(task, completed=deleted)
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": f"darkroom-{time.time_ns()}"}
    answer = call.deployment.client("cloudfront").create_invalidation(
        DistributionId=call.deployment.output("DistributionId"), InvalidationBatch=batch
    )
    return deleted, str(answer["Invalidation"]["Id"])


@app.command(
    output={"*": "the report of the forget function: docs/guides/runbooks/data-request.md"},
    examples=(
        "darkroom forget trips/rome.jpg --by ada",
        "darkroom forget trips/rome.jpg --check",
    ),
)
@click.argument("key")
@click.option("--check", is_flag=True, help="Only print the state of the last erasure.")
@click.option("--yes", is_flag=True, help="Do not ask before the erasure.")
@click.option("--unknown", is_flag=True, help="Erase although no image is known under this key.")
@click.option("--by", default=getpass.getuser, metavar="NAME", help="Name in the audit log (your user name).")
def forget(call: Call, key: str, check: bool, yes: bool, unknown: bool, by: str) -> int:
    """Erase every trace of an image, and report what was removed.

    It first reports what is stored, and asks. The exit code is 3 if no image is known under KEY, and then nothing is
    erased. It is 1 if something could not be removed. With --check it is 1 until the CDN has confirmed.
    """
    function = call.deployment.output("ForgetFunctionName")
    if not check:
        found = call.deployment.invoke(function, {"key": key, "check": True, "find": True})
        _require_valid(found)
        if "places" not in found:
            question = f"The function that is deployed does not report what is stored under {key}. Erase it for good?"
        elif found["status"] != "unknown":
            question = f"{summarise(found)}. Erase it for good?"
        elif unknown:
            question = f"No image is known under {key}. Erase it nevertheless?"
        else:
            raise NotFound(f"No image is known under {key}. Nothing was erased.{_spelling(key)}")
        if not yes:
            ask(question)
    report = call.deployment.invoke(function, {"key": key, "by": by, "check": check})
    call.emit(report, describe(report))
    _require_valid(report)
    match report["status"]:
        case "unknown":
            raise NotFound(f"No erasure of {key} is known.")
        case "complete" | "pending_invalidation" as status if not check or status == "complete":
            return ExitCode.OK
    return ExitCode.FAILED


def _require_valid(report: Mapping[str, Any]) -> None:
    """Raise WrongArgument if the forget function has refused the key, CommandError if it could not read the state."""
    if report["status"] == "refused":
        raise WrongArgument(f"{report['key']} is not a key that an upload can have.")
    if report["status"] == "unavailable":
        raise CommandError("The state cannot be read at present.", ExitCode.UNREACHABLE)


def _spelling(key: str) -> str:
    decoded = unquote(key)
    return f" Keys are not percent-encoded: try {decoded}" if decoded != key else ""
