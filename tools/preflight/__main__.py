"""Check, before a deployment, what in the account or the region would make it fail. Nothing is changed.

``python -m tools.preflight`` for the environment `default` of samconfig.toml; ``--config-env small``, ``--region``,
``--stack-name`` and ``--parameter-overrides`` as for `sam deploy`. The exit status is 1 if there is a problem.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from . import checks
from .account import ExistingStack, Reader, Unknown
from .checks import CLOUDFRONT_QUOTAS, Finding, Status
from .plan import DEFAULT_STACK, Plan, build_plan, parse_overrides, read_settings, read_template

ROOT = Path(__file__).resolve().parents[2]


def examine(plan: Plan, stack: ExistingStack | Unknown, reader: Reader) -> Iterator[Finding]:
    """Every check of a plan; a service is asked only if the plan uses it."""
    yield checks.check_name(plan)
    yield from checks.check_region(plan)
    yield checks.check_services(plan, reader.read_services())
    yield checks.check_stack(plan, stack)
    function = stack.outputs.get("TransformFunctionName", "") if isinstance(stack, ExistingStack) else ""
    yield from checks.check_concurrency(plan, reader.read_concurrency(function))
    yield from checks.check_memory(plan)
    used = {kind: reader.count_in_cloudfront(kind) for kind in CLOUDFRONT_QUOTAS}
    yield from checks.check_cloudfront(plan, stack, used, reader.read_quotas("cloudfront"))
    yield checks.check_api(reader.read_quotas("apigateway"))
    if plan.text("InferenceMode") == "endpoint" and not plan.text("EndpointName"):
        yield from checks.check_endpoint(plan, reader.read_quotas("sagemaker"))
    if plan.text("SimilarityStore") == "s3vectors":
        yield from checks.check_vectors(plan, reader.ask_for_vectors())
    for name, (arn, hosts) in checks.list_certificates(plan).items():
        yield checks.check_certificate(name, arn, hosts, reader.read_certificate(arn))
    if plan.text("KmsKeyArn"):
        yield from checks.check_key(plan, reader.read_key_state(plan.text("KmsKeyArn")))


def format_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """Lines to print: a line a finding, and what to do below it."""
    for finding in findings:
        yield f"{finding.status.value:<8} {finding.subject}: {finding.found}"
        if finding.status is not Status.OK:
            if finding.action:
                yield f"         {finding.action}"
            if finding.command:
                yield f"         $ {finding.command}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0, 1 if there is a problem, 2 if the question itself is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.preflight", description=__doc__.partition("\n")[0])
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml (default)")
    parser.add_argument("--region", help="region to deploy to, instead of that of the environment or the profile")
    parser.add_argument("--stack-name", help="instead of that of the environment")
    parser.add_argument("--profile", help="profile of the AWS configuration")
    parser.add_argument("--endpoint-url", help="AWS's address, if it is not AWS")
    parser.add_argument("--parameter-overrides", nargs="+", default=[], metavar="NAME=VALUE")
    chosen = parser.parse_args(arguments)
    try:
        settings = read_settings(ROOT / "samconfig.toml", chosen.config_env)
        overrides = dict(settings.overrides) | parse_overrides(chosen.parameter_overrides)
        session = boto3.Session(profile_name=chosen.profile)
    except KeyError:
        parser.error(f"samconfig.toml has no environment {chosen.config_env}")
    except (ValueError, BotoCoreError) as error:
        parser.error(str(error))
    region = chosen.region or settings.region or session.region_name
    if not region:
        parser.error("no region: give --region, or set AWS_DEFAULT_REGION")
    reader = Reader(session, region, chosen.endpoint_url)
    identity = checks.check_identity(reader.read_identity())
    findings = [identity]
    if identity.status is Status.OK:
        name = chosen.stack_name or settings.stack or DEFAULT_STACK
        stack = reader.read_stack(name)
        existing = stack.parameters if isinstance(stack, ExistingStack) else {}
        try:
            plan = build_plan(read_template(ROOT / "template.yaml"), name, region, existing, overrides)
        except ValueError as error:
            parser.error(str(error))
        findings += examine(plan, stack, reader)
    sys.stdout.writelines(f"{line}\n" for line in format_findings(findings))
    counted = {status: sum(finding.status is status for finding in findings) for status in Status}
    sys.stdout.write(", ".join(f"{count} {status.value}" for status, count in counted.items()) + "\n")
    return 1 if counted[Status.PROBLEM] else 0


if __name__ == "__main__":
    sys.exit(main())
