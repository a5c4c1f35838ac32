"""Run ``sam build`` and ``sam deploy`` of the template against MiniStack."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

from botocore.exceptions import ClientError
from filelock import AsyncFileLock

from . import intervals, settings, source_digest, tool_venvs
from .aws import Cloud, tool_environment
from .errors import StartError
from .paths import ENDPOINT, ROOT, STACK, StackPaths, architecture
from .post_deploy import complete
from .processes import Finished, run
from .progress import Progress

RENDER_CONCURRENCY = 8
"""Reserved concurrency on the local stack: each render is a process of about 100 MB."""

INGEST_CONCURRENCY = 3
"""Maximum concurrency of ingest on the local stack, where an upload may use a core for seconds. With 2, urgent uploads
have no workers of their own."""

INFERENCE_CONCURRENCY = 4
"""Concurrency of the endpoint on the local stack; half of it is for the priority queue. The minimum of Lambda is 2."""

LOG_DAYS = 1
"""Access logs of the local CDN are kept for one day, so that popular derivatives are counted and re-encoded."""

LIBRARY_BUCKET = f"{STACK}-library"
"""The bucket that bulk jobs may read, if it exists."""

DIALECTS = (
    "Dialects=on",
    "ImgproxyDomainName=imgproxy.localhost",
    "ThumborDomainName=thumbor.localhost",
    "DitDomainName=dit.localhost",
    "CertificateArn=arn:aws:acm:us-east-1:000000000000:certificate/local",
)
"""Dialects, with host names that browsers resolve to this machine."""

OPTIONAL_PARTS = (
    *("UrgentUploads=on", "LargeImages=on", "ContentCredentials=on", "BulkJobs=on", "SimilarityStore=table"),
    "Refine=on",
)
"""Parts that a default deployment lacks."""

COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"})
UNUSABLE = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"})
"""States of a stack that was never created. CloudFormation allows only its deletion."""


async def ensure(
    paths: StackPaths,
    cloud: Cloud,
    progress: Progress,
    save: Callable[[], Awaitable[None]],
    *,
    inference: bool,
    overrides: Sequence[str] = (),
) -> bool:
    """Deploy unless these sources are deployed already; return whether a deployment ran. Raises StartError.

    ``save`` makes a deployment permanent, before it is noted as done.
    ``overrides`` are template parameters (``Name=Value``) or settings (``name=value``) that replace the defaults.
    """
    template_overrides, changed = settings.split(overrides)
    parameters = [*build_parameters(inference=inference), *template_overrides]
    digest = source_digest.digest(ROOT, *parameters, *overrides)
    status = await asyncio.to_thread(stack_status, cloud)
    if paths.deployed.exists() and paths.deployed.read_text() == digest and status in COMPLETE:
        progress.report("Nothing to deploy: the sources have not changed since the last start")
        return False
    paths.deployed.unlink(missing_ok=True)
    if status in UNUSABLE:
        await asyncio.to_thread(_delete, cloud)
    async with AsyncFileLock(ROOT / ".aws-sam" / ".lock"):  # all stacks of this checkout share the build folder
        with progress.step("sam build (layers are reused unless their sources changed)") as show:
            await _build(paths, cloud, show)
        await asyncio.to_thread(_ensure_source_bucket, cloud, template_overrides)
        with progress.step("sam deploy") as show:
            await _deploy(paths, cloud, parameters, show)
            show("properties that MiniStack ignores")
            await asyncio.to_thread(complete, cloud)
            await asyncio.to_thread(settings.ensure, cloud, changed)
            await asyncio.to_thread(intervals.adjust, cloud)
    await save()
    paths.deployed.write_text(digest)
    return True


def build_parameters(*, inference: bool) -> list[str]:
    """Return the parameters that differ from the template's defaults."""
    endpoint = [f"EndpointName={ENDPOINT}", f"EndpointConcurrency={INFERENCE_CONCURRENCY}"]
    return [
        f"Arch={architecture()}",
        f"ReservedConcurrency={RENDER_CONCURRENCY}",
        f"IngestConcurrency={INGEST_CONCURRENCY}",
        *OPTIONAL_PARTS,
        f"LibraryBucket={LIBRARY_BUCKET}",
        f"AccessLogDays={LOG_DAYS}",
        *DIALECTS,
        "Alarms=off",  # MiniStack does not evaluate metric math; local/console_api evaluates the alarms
        f"InferenceMode={'endpoint' if inference else 'off'}",  # an update keeps parameters that are not given
        *(endpoint if inference else ()),
    ]


def _ensure_source_bucket(cloud: Cloud, parameters: Sequence[str]) -> None:
    """Create the SourceBucket among ``parameters`` unless it exists, with events for EventBridge."""
    values = dict(pair.partition("=")[::2] for pair in parameters)
    if not (bucket := values.get("SourceBucket")):
        return
    try:
        cloud.s3.head_bucket(Bucket=bucket)
    except ClientError:
        cloud.s3.create_bucket(Bucket=bucket)
        cloud.s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )


def stack_status(cloud: Cloud) -> str:
    """Return the stack's status in CloudFormation, "" if there is no stack."""
    try:
        return cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    except ClientError:
        return ""


def _delete(cloud: Cloud) -> None:
    cloud.cloudformation.delete_stack(StackName=STACK)
    cloud.cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def describe_build(output: str) -> str:
    """Return the part of the template that ``sam build`` began last, by its output until now."""
    parts = re.findall(
        r"^Building codeuri:.* functions: (\w+)|^Building layer '(\w+)'|layers \((\w+)\)$", output, re.MULTILINE
    )
    return next(filter(None, parts[-1]), "") if parts else ""


def describe_deployment(output: str) -> str:
    """Return the number of resources that ``sam deploy`` has completed, and the last one, by its output until now."""
    done = re.findall(r"^(?:CREATE|UPDATE|DELETE)_COMPLETE +AWS::\S+ +(\S+)", output, re.MULTILINE)
    return f"{len(done)} resources, {done[-1]}" if done else ""


async def _build(paths: StackPaths, cloud: Cloud, show: Callable[[str], None]) -> None:
    options = ("--parameter-overrides", f"Arch={architecture()}")
    done = await run_sam(paths, cloud, "build", "build", *options, follow=lambda text: show(describe_build(text)))
    if done.status:
        raise StartError(
            f"sam build failed (log: {paths.logs / 'build.log'}):\n{done.tail(25)}\n"
            "If pip could not connect: the first build of the layers needs network access."
        )


async def _deploy(paths: StackPaths, cloud: Cloud, parameters: Sequence[str], show: Callable[[str], None]) -> None:
    options = ("--parameter-overrides", *parameters)
    done = await run_sam(
        paths, cloud, "deploy", "deploy", *options, follow=lambda text: show(describe_deployment(text))
    )
    if done.status:
        reasons = await asyncio.to_thread(list_failures, cloud)
        what = "\n".join(f"    {reason}" for reason in reasons) or done.tail(6)
        raise StartError(f"sam deploy failed (log: {paths.logs / 'deploy.log'}):\n{what}")


async def run_sam(
    paths: StackPaths,
    cloud: Cloud,
    command: str,
    log_name: str,
    *options: str,
    follow: Callable[[str], object] | None = None,
) -> Finished:
    """Run ``sam`` against MiniStack; its output goes to the log ``log_name``, and to ``follow`` as it comes.

    ``sam`` itself would look for its configuration beside the template.
    """
    environment = tool_environment(cloud.endpoint_url)
    environment["ARCH"] = architecture()
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PATH"] = f"{tool_venvs.python_path('sam').parent}:{environment['PATH']}"
    sam = (tool_venvs.python_path("sam"), "-P", ROOT / "local" / "sam_process.py")
    log = paths.logs / f"{log_name}.log"
    config = ("--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local")
    return await run([*sam, command, *config, *options], env=environment, cwd=ROOT, log=log, follow=follow)


def list_failures(cloud: Cloud) -> list[str]:
    """Return the resources that failed in the last deployment, with reasons. Cancelled resources are left out."""
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
