"""Take in, look at or print again whole libraries of pictures.

``python -m tools.library start --stack darkroom --operation presets --prefix holidays/``, then ``watch``, ``report``
or, when it has ended before its end, ``resume`` with the run's name. ``--local`` is for the stack on this machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "darkroom"))

from darkroom.aws.clients import client
from darkroom.aws.s3 import S3Bucket
from darkroom.errors import BadRun, DarkroomError
from darkroom.services.library.requests import BATCH, TOLERATED_PERCENT, Doing, read_order
from darkroom.services.library.runs import Run

from .. import local_stack
from .bar import Bar
from .machine import Machine

LOOK_EVERY_S = 2.0
ORDER = ("operation", "prefix", "inventory", "keys", "source", "into", "again")


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """The command; its exit status: 0 if all went well, 1 if keys have failed or the run was stopped, 2 for no run."""
    chosen = _parser().parse_args(arguments)
    try:
        machine, media = _stack(chosen, environment)
        return _COMMANDS[chosen.command](chosen, machine, media)
    except (DarkroomError, ValueError, ClientError, BotoCoreError) as error:
        detail = error.detail if isinstance(error, DarkroomError) else ""
        sys.stderr.write(f"{error} {detail}".strip() + "\n")
        return 2


def start(chosen: argparse.Namespace, machine: Machine, media: S3Bucket) -> int:
    """Start a run, and watch it unless told not to."""
    given = {name: value for name in ORDER if (value := getattr(chosen, name))}
    order = read_order(given)
    run = Run(media, chosen.run or f"{chosen.operation}-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    if run.document(run.orders) is not None:
        raise BadRun(f"There is a run {run.name} already: resume it, or take another name", field="run")
    sizes = {"concurrency": chosen.concurrency, "tolerated": chosen.tolerated_failures, "batch": chosen.batch}
    arn = machine.start(run.name, order, **sizes)
    return _followed(chosen, machine, run, arn)


def resume(chosen: argparse.Namespace, machine: Machine, media: S3Bucket) -> int:
    """Go on with what a run has left undone, as it was asked for, and try anew what has failed."""
    run = Run(media, chosen.run)
    order = run.document(run.orders)
    arn = machine.latest(run.name)
    if order is None:
        raise BadRun(f"There is no run {run.name}", field="run")
    if arn is not None and machine.execution(arn).runs:
        raise BadRun(f"The run {run.name} is going on", field="run")
    asked = machine.asked(arn) if arn is not None else {}
    concurrency = chosen.concurrency or int(asked.get("concurrency", 0))
    tolerated = float(asked.get("tolerated", TOLERATED_PERCENT))
    arn = machine.start(run.name, read_order(order), concurrency=concurrency, tolerated=tolerated, batch=BATCH)
    return _followed(chosen, machine, run, arn)


def watch(chosen: argparse.Namespace, machine: Machine, media: S3Bucket) -> int:
    """Show how far a run is until it ends, and its report."""
    run = Run(media, chosen.run)
    arn = machine.latest(run.name)
    if arn is None:
        raise BadRun(f"There is no run {run.name}", field="run")
    bar = Bar(sys.stdout)
    while (found := machine.execution(arn)).runs:
        bar.show(machine.figures(arn), time.time())
        time.sleep(LOOK_EVERY_S)
    bar.show(machine.figures(arn), time.time(), last=True)
    bar.end()
    if found.status != "SUCCEEDED":
        sys.stdout.write(f"{found.status.lower()}: {found.cause}\n")
    reported = report(chosen, machine, media)
    return reported if found.status == "SUCCEEDED" else 1


def report(chosen: argparse.Namespace, machine: Machine, media: S3Bucket) -> int:  # noqa: ARG001, a command as all are
    """Print the summary of a run's report, and where it lies."""
    run = Run(media, chosen.run)
    figures = run.document(run.summary)
    if figures is None:
        raise BadRun(f"There is no report of a run {run.name}", field="run")
    for text in _summary(figures, media.bucket, run):
        sys.stdout.write(text + "\n")
    return int(bool(figures["stopped"]) or figures["outcomes"].get("failed", 0) > 0)


def _followed(chosen: argparse.Namespace, machine: Machine, run: Run, arn: str) -> int:
    sys.stdout.write(f"{run.name}: {arn}\n")
    if chosen.detach:
        return 0
    chosen.run = run.name
    return watch(chosen, machine, run.media)


def _summary(figures: Mapping[str, Any], bucket: str, run: Run) -> list[str]:
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(figures["outcomes"].items()))
    lines = [f"{figures['keys']:,} keys: {counts or 'none'}; {figures['unaccounted']:,} of them not tried"]
    lines += [f"  {number:,} × {reason}" for reason, number in sorted(figures["reasons"].items())]
    if figures["stopped"]:
        lines.append(f"stopped before its end: {figures['stopped']}")
    return [*lines, f"report: s3://{bucket}/{run.summary}", f"each key: {figures['lines']}"]


def _stack(chosen: argparse.Namespace, environment: Mapping[str, str]) -> tuple[Machine, S3Bucket]:
    """Where the chosen stack's runs are."""
    name = chosen.stack
    if chosen.local:
        facts = local_stack.read(chosen.state_dir)
        environment = {**environment, **local_stack.environment(facts)}
        name = facts["stack_name"]
    found = client("cloudformation", environment).describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found}
    machine = Machine(client("stepfunctions", environment), outputs["LibraryMachineArn"])
    return machine, S3Bucket(client("s3", environment), outputs["MediaBucketName"])


def _parser() -> argparse.ArgumentParser:
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--stack", default="darkroom", help="name of the stack in CloudFormation")
    where.add_argument("--local", action="store_true", help="the stack that runs on this machine")
    where.add_argument("--state-dir", type=Path, default=local_stack.STATE, help="its state folder")
    going = argparse.ArgumentParser(add_help=False)
    going.add_argument("--concurrency", type=int, default=0, help="batches at a time; 0 is library_concurrency")
    going.add_argument("--detach", action="store_true", help="do not wait for its end")
    parser = argparse.ArgumentParser(prog="python -m tools.library", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    begun = commands.add_parser("start", parents=[where, going], help="start a run")
    begun.add_argument("--operation", required=True, choices=[*Doing])
    begun.add_argument("--prefix", default="", help="only keys that start with this")
    begun.add_argument("--inventory", default="", metavar="S3_URL", help="manifest.json of an S3 Inventory in CSV")
    begun.add_argument("--keys", default="", metavar="S3_URL", help="a list with a key a line")
    begun.add_argument(
        "--source", default="", metavar="BUCKET", help="copy pictures from there (ingest; LibraryBucket)"
    )
    begun.add_argument("--into", default="", metavar="PREFIX", help="what comes before the keys of such copies")
    begun.add_argument("--again", action="store_true", help="even what models have looked at (infer)")
    begun.add_argument("--tolerated-failures", type=float, default=TOLERATED_PERCENT, metavar="PERCENT")
    begun.add_argument("--batch", type=int, default=BATCH, help="keys that a worker takes at a time")
    begun.add_argument("--run", default="", help="its name; without, one is made of the operation and the time")
    resumed = commands.add_parser("resume", parents=[where, going], help="go on with a run")
    resumed.add_argument("run")
    for name in ("watch", "report"):
        commands.add_parser(name, parents=[where], help=f"{name} a run").add_argument("run")
    return parser


_COMMANDS = {"start": start, "resume": resume, "watch": watch, "report": report}

if __name__ == "__main__":
    sys.exit(main())
