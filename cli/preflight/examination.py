"""Check an account and region before a deployment, without changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import boto3

from cli.flat_rate.distributions import DISTRIBUTION
from cli.template_values import read_template
from cli.terminal import Line, Style
from extensions import find_template

from . import checks, flat_rate, new_accounts
from .account import ExistingStack, Reader, Unknown
from .checks import CLOUDFRONT_QUOTAS, Finding, Status
from .permissions import examine_permissions
from .plan import DEFAULT_STACK, Plan, add_further, build_plan, parse_overrides, read_settings
from .templates import ROOT, TEMPLATE, further_templates, list_planned


class WrongQuestion(ValueError):
    """The deployment to check is invalid."""


def examine(plan: Plan, stack: ExistingStack | Unknown, reader: Reader, tier: str = "") -> Iterator[Finding]:
    """Run every check of a plan; services are called only if the plan uses them.

    ``tier`` is that of a flat-rate plan to check, empty for the deployment's own, if it has one.
    """
    yield checks.check_name(plan)
    yield from checks.check_region(plan)
    yield checks.check_services(plan, reader.read_services())
    yield checks.check_stack(plan, stack)
    function = stack.outputs.get("TransformFunctionName", "") if isinstance(stack, ExistingStack) else ""
    concurrency = reader.read_concurrency(function)
    yield from checks.check_concurrency(plan, concurrency)
    others = {
        name: tuple(list_planned(find_template(name), {}, name, plan.region))
        for name in further_templates()
        if name not in plan.further
    }
    yield from new_accounts.check_memory(plan, others, concurrency)
    yield from new_accounts.check_log_days(plan)
    used = {kind: reader.count_in_cloudfront(kind) for kind in CLOUDFRONT_QUOTAS}
    yield from new_accounts.check_cloudfront_access(plan, used[DISTRIBUTION])
    yield from checks.check_cloudfront(plan, stack, used, reader.read_quotas("cloudfront"))
    if tier := flat_rate.find_tier(plan, tier):
        yield from flat_rate.check_flat_rate(plan, tier, read_template(TEMPLATE))
    yield checks.check_api(reader.read_quotas("apigateway"))
    if plan.text("InferenceMode") == "endpoint" and not plan.text("EndpointName"):
        yield from checks.check_endpoint(plan, reader.read_quotas("sagemaker"))
    if plan.text("SimilarityStore") == "s3vectors":
        yield from checks.check_vectors(plan, reader.has_vectors())
    for name, (arn, hosts) in checks.list_certificates(plan).items():
        yield checks.check_certificate(name, arn, hosts, reader.read_certificate(arn))
    if plan.text("KmsKeyArn"):
        yield from checks.check_key(plan, reader.read_key_state(plan.text("KmsKeyArn")))


_STYLES = {Status.OK: Style.GOOD, Status.PROBLEM: Style.PROBLEM}


def format_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """Format findings: a line each, and the remedy below."""
    for finding in findings:
        status = (f"{finding.status.value:<8}", _STYLES.get(finding.status, Style.PLAIN))
        yield Line(status, f" {finding.subject}: {finding.found}")
        if finding.status is not Status.OK:
            if finding.action:
                yield f"         {finding.action}"
            if finding.command:
                yield f"         $ {finding.command}"


@dataclass(frozen=True, slots=True)
class Question:
    """The deployment to check, as `sam deploy` names it.

    ``further`` are names of further stacks; ``overrides`` of one begin with its name and a dot. ``tier`` is that
    of a flat-rate plan to check, empty for the deployment's own.
    """

    environment: str = "default"
    stack: str = ""
    region: str = ""
    overrides: Sequence[str] = ()
    further: Sequence[str] = ()
    tier: str = ""


def preflight(session: boto3.Session, question: Question, endpoint_url: str | None = None) -> list[Finding]:
    """Run every check of a deployment, with the settings of an environment of samconfig.toml.

    Raises WrongQuestion for an unknown environment, stack or parameter, and without a region.
    """
    asked = _complete(question, session.region_name or "")
    reader = Reader(session, asked.region, endpoint_url)
    identity = checks.check_identity(reader.read_identity())
    if identity.status is not Status.OK:
        return [identity]
    existing = reader.read_stack(asked.stack)
    plan = _plan(asked, _parameters(existing), lambda name: _parameters(reader.read_stack(f"{asked.stack}-{name}")))
    is_named = bool(question.region)
    return [
        identity,
        *checks.check_variable(plan, os.environ.get("AWS_REGION", ""), is_named=is_named),
        *examine_permissions(plan, identity.found, reader),
        *examine(plan, existing, reader, asked.tier),
    ]


def plan_new(question: Question, region: str) -> Plan:
    """Return the plan of a deployment without an account: parameters that are not named have their defaults.

    ``region`` is that of the configuration. Raises WrongQuestion as :func:`preflight`.
    """
    return _plan(_complete(question, region), {}, lambda _: {})


def _complete(question: Question, region: str) -> Question:
    """Return the question with the settings of its environment, and its overrides after those of the environment."""
    try:
        settings = read_settings(ROOT / "samconfig.toml", question.environment)
    except KeyError:
        raise WrongQuestion(f"samconfig.toml has no environment {question.environment}.") from None
    region = question.region or settings.region or region
    if not region:
        raise WrongQuestion("No region is set: name it with --region.")
    stack = question.stack or settings.stack or DEFAULT_STACK
    given = [f"{name}={value}" for name, value in settings.overrides.items()]
    return replace(question, stack=stack, region=region, overrides=[*given, *question.overrides])


def _plan(asked: Question, existing: Mapping[str, str], read: Callable[[str], Mapping[str, str]]) -> Plan:
    """Build the plan of the stack and of further ones, whose ``existing`` parameters are read by name."""
    try:
        given = parse_overrides(asked.overrides)
        own = {key: value for key, value in given.items() if key.partition(".")[0] not in asked.further}
        plan = build_plan(read_template(TEMPLATE), asked.stack, asked.region, existing, own)
        for one in dict.fromkeys(asked.further):
            chosen = {key.partition(".")[2]: value for key, value in given.items() if key.startswith(f"{one}.")}
            plan = add_further(plan, one, read(one), chosen)
    except ValueError as error:
        raise WrongQuestion(str(error)) from error
    return plan


def _parameters(stack: ExistingStack | Unknown) -> Mapping[str, str]:
    return stack.parameters if isinstance(stack, ExistingStack) else {}
