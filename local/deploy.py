"""``sam build`` and ``sam deploy`` of the one template into MiniStack."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from botocore.exceptions import ClientError
from filelock import AsyncFileLock

from . import intervals, settings, source_digest, tool_venvs
from .aws import Cloud, tool_environment
from .errors import StartError
from .paths import ENDPOINT, ROOT, STACK, StackPaths, architecture
from .post_deploy import complete
from .processes import Finished, run
from .progress import Progress

RENDERS_AT_ONCE = 8
"""Reserved concurrency here: each render is a process of about 100 MB on this machine."""

UPLOADS_AT_ONCE = 2
"""Maximum concurrency of ingest here, where an upload may take a processor core for seconds."""

LOOKED_AT_AT_ONCE = 4
"""Concurrency of the endpoint here, half of it of the queue for urgent pictures: Lambda's least."""

LOG_DAYS = 1
"""The local CDN's access logs are kept for a day, so that what is popular is counted and refined here too."""

LIBRARY_BUCKET = f"{STACK}-library"
"""The bucket that runs over a library may read here, if it exists."""

LANGUAGES = (
    "Dialects=on",
    "ImgproxyDomainName=imgproxy.localhost",
    "ThumborDomainName=thumbor.localhost",
    "DitDomainName=dit.localhost",
    "CertificateArn=arn:aws:acm:us-east-1:000000000000:certificate/of-nobody",
)
"""Other services' URLs, and hosts that every browser takes for this machine."""

COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"})
UNUSABLE = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"})
"""States of a stack that never came into being, which CloudFormation only lets one delete."""


async def ensure(
    place: StackPaths, cloud: Cloud, progress: Progress, *, inference: bool, overrides: Sequence[str] = ()
) -> bool:
    """Deploy unless these very sources are deployed already; whether anything was done. Raises CannotStart.

    ``overrides`` are parameters of the template, as ``Name=Value``, or settings, as ``name=value``, that are to be
    other than usual.
    """
    further, changed = settings.split(overrides)
    asked = [*parameters(inference=inference), *further]
    wanted = source_digest.digest(ROOT, *asked, *overrides)
    status = await asyncio.to_thread(stack_status, cloud)
    if place.deployed.exists() and place.deployed.read_text() == wanted and status in COMPLETE:
        progress.say("Nothing to deploy: the sources are those of the last start")
        return False
    place.deployed.unlink(missing_ok=True)
    if status in UNUSABLE:
        await asyncio.to_thread(_delete, cloud)
    async with AsyncFileLock(ROOT / ".aws-sam" / ".lock"):  # the build folder is shared by all stacks of this checkout
        with progress.step("sam build (layers are reused unless their sources changed)"):
            await _build(place, cloud)
        with progress.step("sam deploy"):
            await _deploy(place, cloud, asked)
            await asyncio.to_thread(complete, cloud)
            await asyncio.to_thread(settings.ensure, cloud, changed)
            await asyncio.to_thread(intervals.adjust, cloud)
    place.deployed.write_text(wanted)
    return True


def parameters(*, inference: bool) -> list[str]:
    """What this deployment asks for that is not the template's default."""
    endpoint = [f"EndpointName={ENDPOINT}", f"EndpointConcurrency={LOOKED_AT_AT_ONCE}"]
    return [
        f"Arch={architecture()}",
        f"ReservedConcurrency={RENDERS_AT_ONCE}",
        f"IngestConcurrency={UPLOADS_AT_ONCE}",
        f"LibraryBucket={LIBRARY_BUCKET}",
        f"AccessLogDays={LOG_DAYS}",
        *LANGUAGES,
        "Alarms=off",  # the engine would create alarms and not evaluate metric math: local/watching evaluates them
        f"InferenceMode={'endpoint' if inference else 'off'}",  # an update keeps what is not said
        *(endpoint if inference else ()),
    ]


def stack_status(cloud: Cloud) -> str:
    """The stack's state in CloudFormation, empty if there is none."""
    try:
        return cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    except ClientError:
        return ""


def _delete(cloud: Cloud) -> None:
    cloud.cloudformation.delete_stack(StackName=STACK)
    cloud.cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


async def _build(place: StackPaths, cloud: Cloud) -> None:
    done = await _sam(place, cloud, "build", "--parameter-overrides", f"Arch={architecture()}")
    if done.status:
        raise StartError(
            f"sam build failed (all of it is in {place.logs / 'build.log'}):\n{done.tail(25)}\n"
            "If pip could not connect: layers need the network when they are built for the first time."
        )


async def _deploy(place: StackPaths, cloud: Cloud, asked: Sequence[str]) -> None:
    done = await _sam(place, cloud, "deploy", "--parameter-overrides", *asked)
    if done.status:
        reasons = await asyncio.to_thread(failures, cloud)
        what = "\n".join(f"    {reason}" for reason in reasons) or done.tail(6)
        raise StartError(f"sam deploy failed (all of it is in {place.logs / 'deploy.log'}):\n{what}")


async def _sam(place: StackPaths, cloud: Cloud, command: str, *options: str) -> Finished:
    environment = tool_environment(cloud.endpoint_url)
    environment["ARCH"] = architecture()
    environment["PATH"] = f"{tool_venvs.python_of('sam').parent}:{environment['PATH']}"
    sam = tool_venvs.python_of("sam").parent / "sam"
    log = place.logs / f"{command}.log"
    return await run([sam, command, "--config-env", "local", *options], env=environment, cwd=ROOT, log=log)


def failures(cloud: Cloud) -> list[str]:
    """Which resources of the last deployment failed, and why. What was only cancelled because of them is left out."""
    try:
        events = cloud.cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    except ClientError:
        return []
    reasons: list[str] = []
    for event in events:  # newest first
        status, reason = event.get("ResourceStatus", ""), event.get("ResourceStatusReason", "")
        if status.endswith("_FAILED") and "cancelled" not in reason.lower():
            reasons.append(f"{event.get('LogicalResourceId')} ({event.get('ResourceType')}): {reason}")
        if event.get("ResourceType") == "AWS::CloudFormation::Stack" and status in BEGINNINGS:
            break
    return list(dict.fromkeys(reversed(reasons)))
