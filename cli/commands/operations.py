"""Commands of operators: objectives, switches, dead letters, and images that moderation holds."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from ..app import app
from ..errors import NotFound, WrongArgument
from ..exit_codes import ExitCode
from ..framework import Call
from ..terminal import Line, Style, Table
from .images import iso

if TYPE_CHECKING:
    from darkroom.aws.switches import Switch
    from darkroom_pipeline.aws.index import Index
    from darkroom_pipeline.aws.record import Record

QUEUES = ("ingest", "review", "purge", "refine", "infer")
SWITCHES = ("presets-only", "fallback")
FOR_MINUTES = 60.0


@app.command(
    output={"queues": "per queue: `found` and `sent` messages, and `letters` with `at`, `subject` and `cause`"},
    examples=(
        "darkroom redrive --dry-run",
        "darkroom redrive ingest purge --stack shop",
    ),
)
@click.argument("queues", nargs=-1, type=click.Choice(QUEUES))
@click.option("--dry-run", is_flag=True, help="Only show the dead letters.")
def redrive(call: Call, queues: tuple[str, ...], dry_run: bool) -> None:
    """Send dead letters back to their queues, each with its cause; those of QUEUES, or of all.

    A message is deleted only after it was sent. What fails again comes back with its new cause.
    """
    from cli.ingest_report.outcomes import queue_urls
    from cli.redrive import redrive as send_back
    from cli.redrive import summary

    urls, sqs = queue_urls(call.deployment), call.deployment.client("sqs")
    document: dict[str, Any] = {}
    for name in queues or QUEUES:
        if f"{name}_dead_letters" not in urls:
            if queues:
                raise NotFound(f"The stack has no queue {name}.")
            continue
        letters: list[dict[str, Any]] = []
        done = send_back(
            sqs,
            urls[f"{name}_dead_letters"],
            urls[name],
            urgent_url=urls.get(f"{name}_priority", ""),
            dry_run=dry_run,
            report=lambda letter, letters=letters: letters.append(letter.document),  # type: ignore[misc]
        )
        document[name] = {"found": done.found, "sent": done.sent, "letters": letters}
        lines = [line for one in letters for line in _describe_letter(one)]
        if not call.is_json:
            call.emit(None, [*lines, f"{name}: {summary(done, dry_run=dry_run)}"])
    if call.is_json:
        call.emit({"queues": document})


def _describe_letter(letter: Mapping[str, Any]) -> Iterator[str]:
    yield Line((f"{letter['at']}  {letter['subject']}", Style.HEADING))
    yield f"    {letter['cause']}"
    known = [f"{name} {letter[name]}" for name in ("attempts", "trace_id", "redriven") if letter.get(name)]
    if known:
        yield f"    {', '.join(known)}"


@app.command(
    output={"switches": "per switch: `on`, `until` (ISO 8601), `by` and `reason`"},
    epilog="presets-only renders named presets only; fallback does not use the endpoint (docs/guides/monitoring.md).",
    examples=(
        "darkroom switch",
        "darkroom switch presets-only on --for 30 --reason 'too many renderings'",
    ),
)
@click.argument("name", required=False, type=click.Choice(SWITCHES))
@click.argument("state", required=False, type=click.Choice(("on", "off")))
@click.option(
    "--for", "minutes", type=float, default=FOR_MINUTES, show_default=True, metavar="MINUTES", help="Duration."
)
@click.option("--by", default=getpass.getuser, metavar="NAME", help="Name in the audit log (your user name).")
@click.option("--reason", default="", metavar="TEXT", help="Reason, for the audit log.")
def switch(call: Call, name: str | None, state: str | None, minutes: float, by: str, reason: str) -> None:
    """Turn a switch that functions read at run time on or off, or show all of them.

    A switch that is on goes off by itself when its time is over. The audit log records who turned it.
    """
    from darkroom.aws.switches import Switch
    from darkroom_pipeline.aws.audit import OVERRIDE, AuditLog
    from darkroom_pipeline.aws.switch_store import SwitchStore

    board = SwitchStore(call.deployment.bucket("MediaBucketName"))
    if name:
        if not state:
            raise WrongArgument(f"Turn {name} on or off.")
        now_s, is_on = time.time(), state == "on"
        turned = Switch(is_on, by, reason, str(iso(now_s)), now_s + minutes * 60 if is_on else 0)
        board.write(name, turned)
        audit = AuditLog(call.deployment.bucket("AuditBucketName"))
        audit.write(OVERRIDE, f"switch {name}", by, on=is_on, reason=reason, until_s=turned.until_s)
    known = {one: board.read(one) for one in SWITCHES}
    call.emit({"switches": {one: _state(found) for one, found in known.items()}}, [_list_switches(known)])


def _state(switch: Switch) -> dict[str, Any]:
    is_on = switch.is_on_at(time.time())
    until = iso(switch.until_s) if is_on and switch.until_s else None
    return {"on": is_on, "until": until, "by": switch.by, "reason": switch.reason}


def _list_switches(known: Mapping[str, Switch]) -> Table:
    rows = []
    for name, found in known.items():
        state = _state(found)
        is_on, until, by, reason = (state[field] for field in ("on", "until", "by", "reason"))
        said = ("on", Style.PROBLEM) if is_on else ("off", Style.GOOD)
        rows.append((name, said, *((until or "turned off", by, reason) if is_on else ("", "", ""))))
    return Table(
        ("switch", "state", "until", "by", "reason"), rows, [_line(one, found) for one, found in known.items()]
    )


def _line(name: str, switch: Switch) -> str:
    if not switch.is_on_at(time.time()):
        return f"{name}: off"
    until = iso(switch.until_s) if switch.until_s else "turned off"
    return f"{name}: on until {until}, by {switch.by}" + (f": {switch.reason}" if switch.reason else "")


@app.command(
    output={
        "objectives": "per objective: `name`, `owner`, `target` (percent), `events`, `good` (percent), `budget_spent` "
        "(percent of the error budget of these days), and for `cold` and `warm` starts `events` and `good`"
    },
    examples=("darkroom objectives --days 7 --stack shop",),
)
@click.option("--days", type=click.IntRange(1, 455), default=30, show_default=True, metavar="DAYS")
def objectives(call: Call, days: int) -> int:
    """Compare the service level objectives with the events of the last days, today included.

    The exit code is 1 if an objective is missed.
    """
    from cli.objectives import format_reports, read_objectives
    from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics
    from observability.owners import find_owner

    deployment = call.deployment
    tokens = {"namespace": f"Darkroom/{deployment.name}", **deployment.functions}
    metrics = CloudWatchMetrics(deployment.client("cloudwatch"))
    found = read_objectives(metrics, tokens, days=days, now_s=time.time())
    rows = [
        {
            "name": one.slo.name,
            "owner": find_owner(one.slo.group),
            "target": 100 * one.slo.objective,
            "events": one.every.total,
            "good": one.every.good_percent,
            "budget_spent": one.spent_percent,
            "cold": {"events": one.cold.total, "good": one.cold.good_percent},
            "warm": {"events": one.warm.total, "good": one.warm.good_percent},
        }
        for one in found
    ]
    call.emit({"objectives": rows}, format_reports(found))
    missed = [one.slo for one in found if (one.spent_percent or 0.0) > 100]
    for slo in missed:
        call.note(f"{slo.name} is missed: {find_owner(slo.group)}")
    return ExitCode.FAILED if missed else ExitCode.OK


@app.group()
def review() -> None:
    """Decide about images that moderation holds."""


@review.command(
    "list",
    output={"images": "per held image: `key`, `since`, `width`, `height`, `format`"},
    examples=("darkroom review list",),
)
def list_held(call: Call) -> None:
    """List images that wait for a decision."""
    rows = [_describe_held(record) for record in _index(call).list_flagged()]
    table = Table(
        ("since", "size", "format", "key"),
        [(row["since"], f"{row['width']} x {row['height']}", str(row["format"]), row["key"]) for row in rows],
        [f"{row['since']}  {row['width']} x {row['height']} {row['format']}  {row['key']}" for row in rows],
    )
    call.emit({"images": rows}, [table, f"waiting: {len(rows)}"])


def _describe_held(record: Record) -> dict[str, Any]:
    facts = {name: record.held.facts.get(name) for name in ("width", "height", "format")}
    return {"key": record.key, "since": record.updated_at, **facts}


DECISION = {
    "key": "key of the image",
    "sha256": "that of the upload that is held",
    "decision": "`release` or `confirm`",
}


@review.command("release", output=DECISION, examples=("darkroom review release trips/rome.jpg --by ada",))
@click.argument("key")
@click.option("--by", default=getpass.getuser, metavar="NAME", help="Name in the audit log (your user name).")
def release_held(call: Call, key: str, by: str) -> None:
    """Publish the image that is held under KEY, whatever models find in it."""
    _decide(call, key, "release", by)


@review.command("confirm", output=DECISION, examples=("darkroom review confirm trips/rome.jpg --by ada",))
@click.argument("key")
@click.option("--by", default=getpass.getuser, metavar="NAME", help="Name in the audit log (your user name).")
def confirm_held(call: Call, key: str, by: str) -> None:
    """Keep the image under KEY held: the models are right."""
    _decide(call, key, "confirm", by)


def _decide(call: Call, key: str, decision: str, by: str) -> None:
    from darkroom_analysis.review.decisions import Decisions
    from darkroom_pipeline.aws.documents import DocumentStore
    from darkroom_pipeline.aws.sqs import Queue

    queue = Queue(call.deployment.client("sqs"), call.deployment.output("ReviewQueueUrl"))
    entries = DocumentStore(call.deployment.client("dynamodb"), call.deployment.output("IndexTableName"))
    record = Decisions(_index(call), entries, queue).decide(key, decision, by)
    sha256 = record.held.sha256
    call.emit(
        {"key": key, "sha256": sha256, "decision": decision},
        [f"{key}: {decision} by {by} is on its way, of the upload with the SHA-256 {sha256}"],
    )


def _index(call: Call) -> Index:
    from darkroom_pipeline.aws.index import Index

    return Index(call.deployment.client("dynamodb"), call.deployment.output("IndexTableName"))
