"""Commands about a stack as a whole: start and stop the one on this machine, show the state of any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from extensions import list_extensions

from ..app import app, version
from ..errors import NotFound
from ..framework import FOLDER, Call
from ..terminal import Line, Style

if TYPE_CHECKING:
    from cli.deployment import Deployment

CDN_PORT, AWS_PORT = 8088, 4566
COUNTED = 1000
"""Objects in quarantine that are counted at most: one page of a listing."""

WORKERS = 8

PAGES = {"start": ("cdn_url", "/"), "console": ("control_url", "/watch")}
"""Pages of the stack on this machine: the field of ``stack.json`` with their address, and their path."""

FURTHER = {one.flag: one.up for one in list_extensions()}
"""Flags that deploy the stacks of extensions, with their help."""


def _add_flags[**P, R](command: Callable[P, R]) -> Callable[P, R]:
    for name, meaning in reversed(FURTHER.items()):
        command = click.option(f"--{name}", is_flag=True, help=meaning)(command)
    return command


@app.command(
    runs_stack=True,
    examples=(
        "darkroom up --detach",
        "darkroom up --parameter max_source_pixels=12000000",
    ),
)
@click.option("--port", type=int, default=CDN_PORT, show_default=True, help="Port of the CDN and the console.")
@click.option("--aws-port", type=int, default=AWS_PORT, show_default=True, help="Port of MiniStack, the AWS emulator.")
@click.option("--detach", is_flag=True, help="Return when the stack is ready; `darkroom stop` ends it.")
@click.option("--no-watch", is_flag=True, help="Do not deploy changed sources.")
@click.option("--no-inference", is_flag=True, help="Start without the model endpoint.")
@click.option("--models", type=FOLDER, help="Folder of the endpoint's models (.local/models).")
@_add_flags
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Parameter of the template, or setting (in lower case); repeatable.",
)
def up(
    call: Call,
    port: int,
    aws_port: int,
    detach: bool,
    no_watch: bool,
    no_inference: bool,
    models: Path | None,
    parameters: tuple[str, ...],
    **flags: bool,
) -> None:
    """Start the stack on this machine. Ctrl-C ends it."""
    from local.paths import MODELS, Ports, StackPaths

    paths, further = StackPaths(call.local_state), [name for name in FURTHER if flags[name.replace("-", "_")]]
    if detach:
        from local.background_start import up_detached

        options = ["--port", str(port), "--aws-port", str(aws_port), "--state-dir", str(paths.state)]
        options += ["--no-watch"] * no_watch + ["--no-inference"] * no_inference
        options += [f"--{name}" for name in further]
        options += ["--models", str(models)] if models else []
        up_detached(paths, options + [word for pair in parameters for word in ("--parameter", pair)])
        return
    from local.stack import up as run

    run(
        *(paths, Ports(port, aws_port)),
        watching=not no_watch,
        models=None if no_inference else (models or MODELS).resolve(),
        further=further,
        overrides=parameters,
    )


@app.command(output={"stopped": "whether a stack ran"}, examples=("darkroom stop",))
def stop(call: Call) -> None:
    """Stop the stack on this machine, detached or not."""
    from local.paths import StackPaths
    from local.pidfile import stop as end

    stopped = end(StackPaths(call.local_state))
    call.emit({"stopped": stopped}, ["Stopped" if stopped else "No stack runs on this machine"])


@app.command("open", output={"url": "the address"}, examples=("darkroom open console",))
@click.argument("page", type=click.Choice(tuple(PAGES)), default="start")
def open_page(call: Call, page: str) -> None:
    """Print the address of PAGE of the stack on this machine, and open it in the browser: start, or console."""
    from cli.deployment import NoStack
    from cli.local_stack import read

    try:
        url = find_page(read(call.local_state), page)
    except ValueError as error:
        raise NoStack(str(error)) from error
    call.emit({"url": url}, [url])
    click.launch(url)


@app.command(
    output={
        "stack": "name, region, `where` (`local` or `aws`) and CloudFormation's `status`",
        "urls": "addresses: `cdn`, `upload_api` and, on this machine, `console` and `aws`",
        "queues": "per queue: `waiting`, `in_flight`, `delayed` and `dead_letters`",
        "quarantine": "`count` of refused uploads that are kept; `is_complete` is false if there are more",
        "review": "number of held images that wait for a decision",
        "settings": "`version` in force, with `at`, `by` and `reason`",
        "switches": "per switch whether it is on",
        "findings": "active generation of findings",
        "golden": "per task the number of images of the golden set with a label, 0 for a task that is not measured; "
        "null without inference",
        "versions": "`darkroom` of this checkout; per function `version`, `modified` and `sha256` of the deployed code",
    },
    examples=(
        "darkroom status",
        "darkroom status --stack shop --region eu-central-1 --json",
    ),
)
def status(call: Call) -> None:
    """Show what runs: addresses, queues, quarantine, reviews, settings and versions."""
    document = read_status(call.deployment)
    call.emit(document, format_status(document))


def read_status(deployment: Deployment) -> dict[str, Any]:
    """Read the state of a stack."""
    from cli.settings.stacks import target_of
    from darkroom.aws.switches import NAMES, Switches
    from darkroom_pipeline.aws.index import Index

    media, target = deployment.bucket("MediaBucketName"), target_of(deployment)
    current, switches = target.documents.current(), Switches(media.read)
    quarantined = _list_page(deployment, deployment.output("QuarantineBucketName"))
    index = Index(deployment.client("dynamodb"), deployment.output("IndexTableName"))
    settings = {"version": current.number, "at": current.at, "by": current.by, "reason": current.reason}
    return {
        "stack": {
            "name": deployment.name,
            "region": deployment.region,
            "where": "local" if deployment.is_local else "aws",
            "status": deployment.status,
        },
        "urls": _urls(deployment),
        "queues": _queues(deployment),
        "quarantine": quarantined,
        "review": len(index.list_flagged()),
        "settings": settings,
        "switches": {name: switches.is_on(name) for name in NAMES},
        "findings": _generation(deployment),
        "golden": _golden_labels(deployment),
        "versions": {"darkroom": version(), "functions": _functions(deployment)},
    }


def find_page(info: Mapping[str, Any], page: str) -> str:
    """Return the address of one of PAGES. ``info`` is ``stack.json``."""
    field, path = PAGES[page]
    return f"{info[field]}{path}"


def _urls(deployment: Deployment) -> dict[str, str]:
    found = {"cdn": deployment.cdn_url, "upload_api": deployment.upload_url}
    if deployment.is_local:
        info = deployment.info
        found |= {"console": find_page(info, "console"), "aws": str(info["aws_endpoint_url"])}
    return found


def _queues(deployment: Deployment) -> dict[str, dict[str, int]]:
    from cli.ingest_report.outcomes import queue_depth, queue_urls

    sqs, urls = deployment.client("sqs"), queue_urls(deployment)
    depths = {name: queue_depth(sqs, url) for name, url in urls.items()}
    found = {}
    for name, depth in depths.items():
        if name.endswith("_dead_letters"):
            continue
        letters = depths.get(f"{name.removesuffix('_priority')}_dead_letters")
        found[name] = {
            "waiting": depth.waiting,
            "in_flight": depth.worked_on,
            "delayed": depth.delayed,
            "dead_letters": letters.total if letters else 0,
        }
    return found


def _list_page(deployment: Deployment, bucket: str) -> dict[str, Any]:
    answer = deployment.client("s3").list_objects_v2(Bucket=bucket, MaxKeys=COUNTED)
    return {"count": answer.get("KeyCount", 0), "is_complete": not answer.get("IsTruncated", False)}


def _generation(deployment: Deployment) -> str:
    """The active generation."""
    from cli.settings.stacks import target_of
    from darkroom_pipeline.services.edge_publication import active_generation

    return active_generation(target_of(deployment).edge.read())


def _golden_labels(deployment: Deployment) -> dict[str, int] | None:
    """The labelled images by task; None for a stack without models."""
    from cli.golden import shown
    from darkroom_analysis.mlops.golden_set import count_labelled

    if "InferFunction" not in deployment.functions:
        return None
    return count_labelled(shown(deployment.bucket("MediaBucketName")))


def _functions(deployment: Deployment) -> dict[str, dict[str, str]]:
    functions = deployment.client("lambda")

    def read(name: str) -> dict[str, str]:
        found = functions.get_function_configuration(FunctionName=name)
        aliases = functions.list_aliases(FunctionName=name)["Aliases"]
        live = next((one["FunctionVersion"] for one in aliases if one["Name"] == "live"), found["Version"])
        return {"version": live, "modified": found["LastModified"], "sha256": found["CodeSha256"]}

    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(deployment.functions, pool.map(read, deployment.functions.values()), strict=True))


def format_status(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of :func:`read_status`."""
    from cli.golden import describe_coverage

    stack = document["stack"]
    where = "this machine" if stack["where"] == "local" else f"AWS, {stack['region']}"
    yield f"{stack['name']}  {stack['status']}  {where}"
    yield from _section("urls", document["urls"])
    yield Line(("queues", Style.HEADING))
    yield Line((f"    {'':16} {'waiting':>8} {'in flight':>9} {'delayed':>8} {'dead letters':>12}", Style.HEADING))
    for name, row in document["queues"].items():
        numbers = f"{row['waiting']:8} {row['in_flight']:9} {row['delayed']:8}"
        dead = (f"{row['dead_letters']:12}", Style.PROBLEM if row["dead_letters"] else Style.PLAIN)
        yield Line(f"    {name.replace('_', ' '):16} {numbers} ", dead)
    quarantine, settings = document["quarantine"], document["settings"]
    golden = {} if document["golden"] is None else {"golden set": describe_coverage(document["golden"])}
    in_force = f"version {settings['version']}, {settings['at']}, {settings['by']} {settings['reason']}".rstrip()
    yield from _section(
        "state",
        {
            "quarantine": f"{quarantine['count']}{'' if quarantine['is_complete'] else ' or more'}",
            "review": str(document["review"]),
            "settings": in_force if settings["version"] else "defaults",
            "switches on": ", ".join(name for name, is_on in document["switches"].items() if is_on) or "none",
            "findings": f"generation {document['findings'] or 'unknown'}",
            **golden,
        },
    )
    functions = document["versions"]["functions"]
    rows = {name: f"{row['version']:8} {row['modified']}  {row['sha256'][:12]}" for name, row in functions.items()}
    yield from _section(f"versions, darkroom {document['versions']['darkroom']}", rows)


def _section(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    yield Line((title, Style.HEADING))
    width = max(map(len, rows), default=0)
    yield from (f"    {name:{width}}  {value}" for name, value in rows.items())


def find_function(deployment: Deployment, name: str) -> str:
    """Return the deployed name of a function by its logical id, folder in ``functions/`` or own name.

    Raises NotFound.
    """
    by_name = {
        logical_id.removesuffix("Function").lower(): deployed for logical_id, deployed in deployment.functions.items()
    }
    known = by_name | deployment.functions | {deployed: deployed for deployed in by_name.values()}
    if name not in known:
        raise NotFound(f"There is no function {name}. Functions: {', '.join(sorted(by_name))}")
    return known[name]
