"""The order in which to run what has never run on AWS, in half a day with a new account.

The most doubtful parts come first, so that what they break is known while there is time to repair it. ``{stack}`` and
``{region}`` are those of the command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extensions import list_extensions

from .model import Check


@dataclass(frozen=True)
class Step:
    """What to run. ``checks`` are checks of ``darkroom smoke`` with what each prints if it passes.

    ``doubt`` is why this can fail on AWS although it works on the local stack, and ``otherwise`` what to do then.
    """

    title: str
    minutes: int
    doubt: str
    commands: Sequence[str] = ()
    expected: str = ""
    checks: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""


STEPS = (
    Step(
        "Account and region",
        10,
        "new accounts have 10 concurrent executions, 3,008 MB for a function, and may need AWS Support for CloudFront",
        ("./darkroom preflight --stack {stack} --region {region}",),
        "0 problem in the last line",
        otherwise="follow the action of each problem; quotas take hours, so request them first",
    ),
    Step(
        "Trust policies with aws:SourceAccount",
        25,
        "AWS documents this condition for services in general, and not for the execution roles of functions",
        ("sam build", "sam deploy --region {region} --stack-name {stack}"),
        "CREATE_COMPLETE of {stack}; the deployment also publishes the settings to the KeyValueStore",
        otherwise="`The role defined for the function cannot be assumed by Lambda`: remove the Condition of each "
        "AssumeRolePolicyDocument, and deploy again",
    ),
    Step(
        "Imports on arm64, and origin access control",
        5,
        "the layers were executed for arm64 by an emulator of the processor only; CloudFront signs requests to Lambda",
        checks={"unsigned": "image/avif or image/webp, and its bytes", "signed": "image/webp or image/avif"},
        otherwise="`./darkroom logs transform`: an ImportError names the library; a 403 has the reason in its body",
    ),
    Step(
        "Internal extension",
        5,
        "the transform function stores an image after its response, by an internal extension for INVOKE events",
        (
            "./darkroom logs transform --stack {stack} --region {region}",
            "aws s3 ls --region {region} --recursive s3://$MEDIA_BUCKET/derivatives/smoke-",
        ),
        "no line with Extension.Crash or LaunchError; while `smoke` runs, the second command lists stored images",
        {"cache-hit": "Hit from cloudfront", "large-answer": "image/png, its bytes, by a redirect"},
        "decision 58 has the protocol; the metric StoreFailures counts images that were not stored",
    ),
    Step(
        "Origin access control with encoded keys",
        10,
        "CloudFront, Lambda and S3 each decode a path in another way before they compare signatures",
        checks={"odd-keys": "é.png a b.png a+b.png a~b.png a@b[1].png 100%.png 😀.png"},
        otherwise="a 403 with SignatureDoesNotMatch is of Lambda: compare the path that the edge function sends",
    ),
    Step(
        "KeyValueStore and the function at the edge",
        5,
        "its engine is njs by all signs, and throws for an entry that is missing; SigV4A signs its data plane",
        checks={
            "key-values": "the number of its entries, over 50",
            "refusal": "403, 403",
            "formats": "image/avif, image/webp, image/jpeg or image/png",
        },
        otherwise="the function's log in us-east-1, /aws/cloudfront/function/; FunctionComputeUtilization below 80",
    ),
    Step(
        "Uploads: forms, events, quarantine",
        10,
        "MiniStack compares no checksum of a form, and its events have no delay",
        checks={
            "upload-form": "ready",
            "upload-checksum": "S3 answered 400 or 403",
            "refused-upload": "type-not-allowed",
        },
        otherwise="S3's answer to the form; the rule's metrics Invocations and FailedInvocations",
    ),
    Step(
        "Viewers: headers, failover, missing images",
        5,
        "origin failover on S3's 403, and revalidation, were verified by the local CDN only",
        checks={"headers": "public, max-age=..., and 304", "missing": "the type of a 404, application/problem+json"},
    ),
    Step(
        "Masters in another bucket, and inference",
        20,
        "they need SourceBucket and InferenceMode; without these both checks are skipped",
        checks={"source": "image/webp, and its bytes", "inference": "the name of the object with the findings"},
    ),
    Step(
        "Operation",
        10,
        "CloudWatch checks metric math and dashboards more strictly than documented, and begins with no data",
        checks={
            "logs": "the log group, and the service",
            "metrics": "the number of metrics of Darkroom/{stack}",
            "alarms": "the number of alarms that are OK or have INSUFFICIENT_DATA",
            "dashboards": "the names of dashboards, and the number of widgets",
            "dead-letters": "the number of empty queues",
            "recursion": "the functions that may send to their own queues",
            "budget": "its name, or skipped without MonthlyBudgetUsd",
            "tags": "more than 20 resources",
            "cost-tag": "active, or skipped without access to billing",
            "web-acl": "its ARN, or skipped without WafRateLimit",
            "access-logs": "files in the bucket, or skipped within the first hour",
        },
    ),
    Step(
        "Purge and erasure",
        25,
        "invalidations take minutes, and have quotas that the local CDN only counts",
        checks={"purge": "viewers get the new image", "erasure": "the number of the erasure, and that it is complete"},
    ),
    Step(
        "Quarantine of large files",
        15,
        "a refused file over 1 GiB is copied in parts; costs a few cents",
        ("./darkroom smoke --stack {stack} --region {region} --only large-refused-upload --large",),
        "type-not-allowed, and its bytes",
    ),
    Step(
        "Removal",
        20,
        "retained buckets, log groups of CloudFront functions in us-east-1, and resources that only empty buckets free",
        ("the commands of docs/getting-started/deploy.md, section Remove the stack, for the further stacks first",),
        "DELETE_COMPLETE; the guide lists what stays",
    ),
)
"""In the order of doubt; what another step needs precedes it."""

STEPS_BEFORE_EXTENSIONS = 9
"""Extensions are less doubtful than the first steps, and precede what takes their stacks away."""


def list_steps() -> list[Step]:
    """Return all steps, with those of extensions."""
    modules = [one.load("smoke") for one in list_extensions()]
    further = [module.STEP for module in modules if module is not None]
    return [*STEPS[:STEPS_BEFORE_EXTENSIONS], *further, *STEPS[STEPS_BEFORE_EXTENSIONS:]]


def list_commands(step: Step, stack: str, region: str) -> Iterator[str]:
    """Yield the commands of ``step`` for a stack; the last one runs its checks."""
    for command in step.commands:
        yield command.format(stack=stack, region=region)
    if step.checks:
        only = " ".join(f"--only {name}" for name in step.checks)
        yield f"./darkroom smoke --stack {stack} --region {region} {only}"


def build_plan(checks: Mapping[str, Sequence[Check]], stack: str, region: str) -> list[dict[str, Any]]:
    """Return the steps as JSON objects. ``checks`` are those of ``smoke`` by group."""
    known = {check.name: check for group in checks.values() for check in group}
    return [
        {
            "title": step.title,
            "minutes": step.minutes,
            "doubt": step.doubt,
            "commands": list(list_commands(step, stack, region)),
            "expected": step.expected.format(stack=stack),
            "checks": {name: text.format(stack=stack) for name, text in step.checks.items()},
            "otherwise": step.otherwise or "; ".join(known[name].look_at for name in step.checks),
        }
        for step in list_steps()
    ]


def format_plan(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Format the steps for a terminal."""
    for number, step in enumerate(steps, 1):
        yield f"{number}. {step['title']} ({step['minutes']} min)"
        yield f"   doubt:     {step['doubt']}"
        yield from (f"   $ {command}" for command in step["commands"])
        if step["expected"]:
            yield f"   expected:  {step['expected']}"
        yield from (f"   expected:  ok {name}  {text}" for name, text in step["checks"].items())
        if step["otherwise"]:
            yield f"   otherwise: {step['otherwise']}"
    yield f"{sum(step['minutes'] for step in steps)} minutes"
