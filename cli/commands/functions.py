"""Commands about Lambda functions: invoke them, and read their logs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from ..app import app
from ..errors import CommandError, NotFound, WrongArgument
from ..exit_codes import ExitCode
from ..framework import TRACEBACK, Call, write
from .stack import find_function

POLL_S = 1.0
LATE_S = 10
"""How late a log event may appear: each poll reads this far back again."""

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Since(click.ParamType[float]):
    """A time: a duration before now (``15m``), or ISO 8601. Its value is a Unix time."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the time."""
        if isinstance(value, float):
            return value
        if found := re.fullmatch(r"(\d+)([smhd])", value):
            return time.time() - int(found[1]) * _UNITS_S[found[2]]
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a duration such as 15m, 2h or 1d, nor ISO 8601.", param, ctx)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


@app.command(
    output={"at": "ISO 8601", "stream": "log stream", "message": "the line (one JSON object per log line)"},
    examples=(
        "darkroom logs transform --follow",
        "darkroom logs ingest --since 1d --filter ERROR --stack shop",
    ),
)
@click.argument("function")
@click.option("--follow", "-f", is_flag=True, help="Go on printing new lines until Ctrl-C.")
@click.option(
    "--since", type=Since(), default="15m", show_default=True, metavar="TIME", help="15m, 2h, 1d or ISO 8601."
)
@click.option("--filter", "pattern", default="", metavar="PATTERN", help="Filter pattern of CloudWatch Logs.")
@click.option("--limit", type=click.IntRange(min=1), metavar="LINES", help="Print at most the first LINES.")
def logs(call: Call, function: str, follow: bool, since: float, pattern: str, limit: int | None) -> None:
    """Print the log of FUNCTION: a folder in functions/, a logical id, or its deployed name."""
    found = read_logs(call.deployment.client("logs"), find_log_group(call, function), since, pattern, follow=follow)
    for event in islice(found, limit):
        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).isoformat(timespec="milliseconds")
        message = event["message"].rstrip("\n")
        first, *further = message.split("\n")
        document = {"at": at, "stream": event.get("logStreamName", ""), "message": message}
        call.emit_one(document, [f"{at} {first}", *(f"  {line}" for line in further)])


def find_log_group(call: Call, function: str) -> str:
    """Return the name of the log group of a function. Raises NotFound."""
    name = find_function(call.deployment, function)
    configuration = call.deployment.client("lambda").get_function_configuration(FunctionName=name)
    return str(configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}")


def read_logs(client: Any, group: str, since_s: float, pattern: str = "", *, follow: bool = False) -> Iterator[Any]:
    """Read log events by time, each once; with ``follow`` wait for more."""
    from botocore.exceptions import ClientError

    seen: dict[str, int] = {}
    start_ms = int(since_s * 1000)
    options = {"filterPattern": pattern} if pattern else {}
    while True:
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=start_ms, interleaved=True, **options
        )
        try:
            found = [one for page in pages for one in page["events"] if _identity(one) not in seen]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            if not follow:
                raise NotFound(f"There is no log group {group}: the function has not run yet.") from error
            found = []
        yield from sorted(found, key=lambda one: one["timestamp"])
        if not follow:
            return
        seen |= {_identity(one): one["timestamp"] for one in found}
        start_ms = max([start_ms, *(at - LATE_S * 1000 for at in seen.values())])
        seen = {event: at for event, at in seen.items() if at >= start_ms}
        time.sleep(POLL_S)


def _identity(event: Any) -> str:
    """Return the id of a log event. MiniStack gives it none: then what distinguishes it."""
    return str(event.get("eventId") or (event.get("logStreamName"), event["timestamp"], event["message"]))


@app.command(
    output={"*": "the function's result"},
    in_development=True,
    examples=("darkroom invoke transform events/transform/miss.json",),
)
@click.argument("function")
@click.argument("event")
@click.option("--deployed", is_flag=True, help="Invoke the deployed function, as on AWS, and not this checkout's code.")
@click.option("--deadline", is_flag=True, help="Count the remaining time down from the timeout.")
@click.pass_context
def invoke(ctx: click.Context, call: Call, function: str, event: str, deployed: bool, deadline: bool) -> int:
    """Call a function with EVENT, a JSON file or - for standard input, and print its result.

    On this machine the handler of the checkout runs in this process, for a debugger; its logs go to standard error and
    an exception that it raises ends the command with its traceback. On AWS, and with --deployed, Lambda runs it. The
    exit code is 1 if the function raised an exception.
    """
    from local.invoke import InvokeError, find_source, invoke, read_event
    from local.paths import StackPaths

    try:
        document = read_event(event)
    except InvokeError as error:
        raise WrongArgument(str(error)) from error
    if deployed or call.selection.on_aws:
        if deadline:
            raise WrongArgument("--deadline is for a handler in this process.")
        return _invoke_deployed(call, function, document)
    try:
        find_source(function)
        _ = call.deployment  # it runs, and answers
        ctx.obj[TRACEBACK] = True
        result = invoke(StackPaths(call.local_state), function, document, deadline=deadline)
    except InvokeError as error:
        ctx.obj[TRACEBACK] = False
        raise NotFound(str(error)) from error
    write(result)
    return ExitCode.OK


def _invoke_deployed(call: Call, function: str, event: Any) -> int:
    import base64
    import json

    client = call.deployment.client("lambda", read_s=900, attempts=1)
    answer = client.invoke(
        FunctionName=find_function(call.deployment, function), Payload=json.dumps(event).encode(), LogType="Tail"
    )
    call.note(base64.b64decode(answer.get("LogResult", "")).decode(errors="replace").rstrip())
    document = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise CommandError(f"{document.get('errorType', 'Error')}: {document.get('errorMessage', document)}")
    call.emit(document, json.dumps(document, indent=2).splitlines())
    return ExitCode.OK


@app.command(output={"files": "paths of the events"}, in_development=True, examples=("darkroom events",))
def events(call: Call) -> None:
    """Write events for upload, similar and scene that succeed on the stack of this machine."""
    from local.generated_events import write_events
    from local.paths import StackPaths
    from local.stack_info import read_stack_info

    paths = StackPaths(call.local_state)
    written: list[Path] = write_events(read_stack_info(paths), paths.state / "events")
    call.emit({"files": [str(path) for path in written]}, map(str, written))
