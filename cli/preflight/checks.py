"""Decide from a plan and facts of the account what prevents a deployment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .account import Certificate, Concurrency, ExistingStack, Unknown
from .plan import Plan
from .regions import WEB_ACL_REGION, find_missing
from .templates import FUNCTION, Planned

LONGEST_STACK_NAME = 39
"""Characters of a stack name.

CloudFront's names, limited to 64, contain it with the region and a suffix; a template test counts.
"""

UNRESERVED_MINIMUM = 100
"""Concurrent executions that Lambda keeps unreserved.

AWS Lambda Developer Guide, "Configuring reserved concurrency for a function": up to the unreserved account concurrency
minus 100 can be reserved. Accounts with a small quota report a smaller minimum (10), which does not help: all of it is
theirs.
"""

SMALLEST_MAXIMUM = 2
"""The least maximum concurrency of an event source mapping of SQS. AWS Lambda API reference, "ScalingConfig"."""

REFINE_CONCURRENCY, UPLOAD_RATE = 2, 200
"""Values of template.yaml: concurrent re-encodings, and requests a second of the upload API."""

CONCURRENCY_QUOTA = "L-B99A9384"
"""Code of Lambda's quota "Concurrent executions" in Service Quotas."""


class Status(StrEnum):
    """Result of a check."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's result: the finding, the remedy, and the command for it, if any."""

    status: Status
    subject: str
    found: str
    action: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of CloudFront: its name in Service Quotas, as a pattern, and its default."""

    pattern: str
    default: int


CLOUDFRONT_QUOTAS: Mapping[str, Quota] = {
    "AWS::CloudFront::Distribution": Quota(r"^(web )?distributions per (aws )?account$", 500),
    "AWS::CloudFront::Function": Quota(r"\bfunctions per (aws )?account$", 100),
    "AWS::CloudFront::KeyValueStore": Quota(r"key value stores per (aws )?account$", 50),
    "AWS::CloudFront::CachePolicy": Quota(r"^(custom )?cache policies per (aws )?account$", 20),
    "AWS::CloudFront::OriginRequestPolicy": Quota(r"^(custom )?origin request policies per (aws )?account$", 20),
    "AWS::CloudFront::ResponseHeadersPolicy": Quota(r"^(custom )?response headers policies per (aws )?account$", 20),
    "AWS::CloudFront::OriginAccessControl": Quota(r"^origin access controls per (aws )?account$", 100),
}
"""By resource type. Amazon CloudFront Developer Guide, "Quotas"."""

SERVICES: Mapping[str, tuple[str, ...]] = {
    "API Gateway": ("apigateway", "apigatewayv2"),
    "CodeDeploy": ("codedeploy",),
    "DynamoDB": ("dynamodb",),
    "EventBridge": ("events", "eventbridge"),
    "Lambda": ("lambda",),
    "S3": ("s3",),
    "SQS": ("sqs",),
    "Secrets Manager": ("secretsmanager",),
    "Step Functions": ("stepfunctions", "states"),
    "X-Ray": ("xray",),
}
"""Services of every stack, by the short names that AWS may list."""


def check_identity(identity: str | Unknown) -> Finding:
    """Check the credentials."""
    if isinstance(identity, Unknown):
        return Finding(Status.PROBLEM, "credentials", identity.reason, "Log in, or choose a profile.", "aws configure")
    return Finding(Status.OK, "credentials", identity)


def check_name(plan: Plan) -> Finding:
    """Check the length of the stack's name."""
    subject = "stack name"
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", plan.stack) and len(plan.stack) <= LONGEST_STACK_NAME:
        return Finding(Status.OK, subject, f"{plan.stack} has {len(plan.stack)} characters of {LONGEST_STACK_NAME}")
    action = f"Take one of at most {LONGEST_STACK_NAME} letters, digits and hyphens that begins with a letter."
    return Finding(Status.PROBLEM, subject, f"{plan.stack!r} does not fit", action, "sam deploy --stack-name NAME")


def check_region(plan: Plan) -> Iterator[Finding]:
    """Check that the region has what the options need."""
    missing = find_missing(plan.region, plan.parameters)
    if not missing:
        yield Finding(Status.OK, "region", f"{plan.region} has all that these options need")
    for sentence in missing:
        found, _, action = sentence.partition("; ")
        yield Finding(Status.PROBLEM, "region", found, f"{action[:1].upper()}{action[1:]}.")


def check_variable(plan: Plan, variable: str, *, is_named: bool) -> Iterator[Finding]:
    """Check AWS_REGION, which version 2 of the AWS CLI prefers and the SAM CLI ignores.

    ``is_named`` is whether the region was named, and not taken from the configuration.
    """
    if variable and variable != plan.region and not is_named:
        found = (
            f"AWS_REGION is {variable}, which the SAM CLI ignores: sam deploy would create the stack in {plan.region}"
        )
        action = "Name the region in every command, or unset the variable."
        yield Finding(Status.PROBLEM, "region", found, action, f"./darkroom preflight --region {variable}")


def check_services(plan: Plan, services: frozenset[str] | Unknown) -> Finding:
    """Check that AWS lists the services of every stack for the region."""
    subject = "services"
    if isinstance(services, Unknown):
        return Finding(Status.UNKNOWN, subject, services.reason, f"See AWS's list of services in {plan.region}.")
    required = dict(SERVICES)
    if plan.text("InferenceMode") == "endpoint":
        required["SageMaker"] = ("sagemaker",)
    absent = sorted(name for name, short in required.items() if not services & set(short))
    if absent:
        action = f"See AWS's list of services in {plan.region}; names may have changed."
        return Finding(Status.UNKNOWN, subject, f"not listed: {', '.join(absent)}", action)
    return Finding(Status.OK, subject, f"{len(required)} services are listed in {plan.region}")


def check_stack(plan: Plan, stack: ExistingStack | Unknown) -> Finding:
    """Check that a stack of that name can be created or updated."""
    subject, at = "stack", f"--stack-name {plan.stack} --region {plan.region}"
    if isinstance(stack, Unknown):
        return Finding(Status.UNKNOWN, subject, stack.reason, "Check it in CloudFormation's console.")
    if not stack.status:
        return Finding(Status.OK, subject, f"{plan.stack} does not exist in {plan.region}; it will be created")
    found = f"{plan.stack} is {stack.status}"
    if stack.status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"}:
        action = "Its first deployment failed. Delete it; its data is retained."
        return Finding(Status.PROBLEM, subject, found, action, f"aws cloudformation delete-stack {at}")
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        command = f"aws cloudformation continue-update-rollback {at}"
        return Finding(Status.PROBLEM, subject, found, "Continue its rollback.", command)
    if stack.status.endswith("_IN_PROGRESS"):
        command = f"aws cloudformation describe-stacks {at} --query 'Stacks[0].StackStatus'"
        return Finding(Status.PROBLEM, subject, found, "Wait until it has ended.", command)
    return Finding(Status.OK, subject, f"{found}; it will be updated")


def check_concurrency(plan: Plan, concurrency: Concurrency | Unknown) -> Iterator[Finding]:
    """Check that Lambda's quota covers reserved concurrency and background work."""
    warm = plan.text("WarmStart")
    reserved, provisioned = plan.number("ReservedConcurrency"), int(warm) if warm.isdecimal() else 0
    subject = "Lambda concurrency"
    if reserved and provisioned > reserved:
        found = f"WarmStart={provisioned} is more than ReservedConcurrency={reserved}"
        yield Finding(Status.PROBLEM, subject, found, "Lower the one or raise the other.")
    if isinstance(concurrency, Unknown):
        action = "Check the quota in Lambda's console; with ReservedConcurrency=0 the deployment needs none of it."
        yield Finding(Status.UNKNOWN, subject, concurrency.reason, action)
        return
    raise_it = (
        f"aws service-quotas request-service-quota-increase --service-code lambda --quota-code {CONCURRENCY_QUOTA} "
        f"--desired-value 1000 --region {plan.region}"
    )
    required = (reserved or provisioned) + sum_reserved(plan)
    can = max(concurrency.unreserved + concurrency.own - UNRESERVED_MINIMUM, 0)
    if required > can:
        found = f"{required} are to be reserved, {can} can be: "
        found += f"{concurrency.unreserved} of {concurrency.quota} are unreserved"
        found += f" and {UNRESERVED_MINIMUM} have to stay so"
        action = "Have the quota raised, or deploy with ReservedConcurrency=0 and WarmStart=off."
        yield Finding(Status.PROBLEM, subject, found, action, raise_it)
    else:
        yield Finding(Status.OK, subject, f"{required} to be reserved of a quota of {concurrency.quota}")
    background = sum_background(plan)
    if background >= concurrency.unreserved - required + concurrency.own:
        found = (
            f"queues may have {background} functions at work, of {concurrency.unreserved} unreserved: viewers get 429"
        )
        action = "Deploy with --config-env small, or have the quota raised."
        yield Finding(Status.PROBLEM, "background work", found, action, raise_it)
    else:
        yield Finding(Status.OK, "background work", f"queues may have {background} functions at work")


def sum_background(plan: Plan) -> int:
    """Return the maximum concurrency of queue consumers: ingest, urgent uploads, purge (2), refine and infer.

    Those of further stacks count by their event source mappings; one without a maximum is not bounded and counts as 2.
    """
    ingest = plan.number("IngestConcurrency")
    total = ingest + 2 + (2 if plan.text("UrgentUploads") == "on" else 0)
    if plan.text("Refine") == "on":
        total += REFINE_CONCURRENCY
    if plan.text("InferenceMode") not in ("", "off"):
        total += plan.number("EndpointConcurrency")
    for one in _further_functions(plan):
        for event in one.properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                scaling = event["Properties"].get("ScalingConfig", {})
                total += int(scaling.get("MaximumConcurrency", SMALLEST_MAXIMUM))
    return total


def sum_reserved(plan: Plan) -> int:
    """Return the concurrency that functions of further stacks reserve."""
    return sum(int(one.properties.get("ReservedConcurrentExecutions", 0)) for one in _further_functions(plan))


def _further_functions(plan: Plan) -> Iterator[Planned]:
    return (one for planned in plan.further.values() for one in planned if one.kind == FUNCTION)


def check_cloudfront(
    plan: Plan, stack: ExistingStack | Unknown, used: Mapping[str, int | Unknown], quotas: Mapping[str, float] | Unknown
) -> Iterator[Finding]:
    """Check that CloudFront's quotas cover the resources of a new stack."""
    exists = isinstance(stack, ExistingStack) and bool(stack.status)
    for kind, quota in CLOUDFRONT_QUOTAS.items():
        needed = 0 if exists else plan.resources.get(kind, 0)
        subject, count = f"CloudFront {kind.rpartition('::')[2]}", used[kind]
        if isinstance(count, Unknown):
            action = f"Count them: a new stack needs {needed}."
            yield Finding(Status.UNKNOWN, subject, count.reason, action)
            continue
        most, origin = float(quota.default), "AWS's default"
        if not isinstance(quotas, Unknown):
            applied = [value for name, value in quotas.items() if re.search(quota.pattern, name.lower())]
            most, origin = (max(applied), "the account's quota") if applied else (most, origin)
        found = f"{count} exist, the stack adds {needed}, {most:.0f} can be ({origin})"
        if count + needed > most:
            action = "Delete what nothing uses, or have the quota raised in Service Quotas (us-east-1)."
            command = f"aws service-quotas list-service-quotas --service-code cloudfront --region {WEB_ACL_REGION}"
            yield Finding(Status.PROBLEM, subject, found, action, command)
        else:
            yield Finding(Status.OK, subject, found)


def check_api(quotas: Mapping[str, float] | Unknown) -> Finding:
    """Check that the account's request rate covers that of the upload API."""
    subject, required = "API Gateway rate", UPLOAD_RATE
    if isinstance(quotas, Unknown):
        return Finding(
            Status.UNKNOWN,
            subject,
            quotas.reason,
            f"{required} a second have to be within the account's.",
        )
    rates = [value for name, value in quotas.items() if name.lower() == "throttle rate"]
    if not rates:
        return Finding(Status.UNKNOWN, subject, 'no quota "Throttle rate" is listed')
    found = f"{required} of {max(rates):.0f} requests a second"
    if required > max(rates):
        return Finding(Status.PROBLEM, subject, found, "Have the quota raised.")
    return Finding(Status.OK, subject, found)


def check_endpoint(plan: Plan, quotas: Mapping[str, float] | Unknown) -> Iterator[Finding]:
    """Check that SageMaker's quota covers the instances of the stack's endpoint."""
    kind = plan.text("EndpointInstanceType")  # instances of a replaced type have a quota of their own
    if plan.text("InferenceMode") != "endpoint" or plan.text("EndpointName") or kind == "serverless":
        return
    name = f"{kind} for endpoint usage"
    required = int(plan.text("EndpointScaling").split(",")[1]) * (2 if plan.text("CanaryImageUri") else 1)
    subject = "SageMaker instances"
    request = f'Request it in Service Quotas under "{name}"; it takes days.'
    command = (
        f"aws service-quotas list-service-quotas --service-code sagemaker --region {plan.region} "
        f"--query \"Quotas[?QuotaName=='{name}'].[QuotaCode,Value]\""
    )
    if isinstance(quotas, Unknown):
        yield Finding(Status.UNKNOWN, subject, quotas.reason, request, command)
    elif name not in quotas:
        yield Finding(Status.UNKNOWN, subject, f'no quota "{name}" is listed', request, command)
    elif quotas[name] < required:
        found = f"{quotas[name]:.0f} of {kind} are allowed, {required} may be needed"
        yield Finding(Status.PROBLEM, subject, found, request, command)
    else:
        yield Finding(Status.OK, subject, f"{quotas[name]:.0f} of {kind} are allowed, {required} may be needed")


def check_vectors(plan: Plan, answers: bool | Unknown) -> Iterator[Finding]:
    """Check that S3 Vectors is available for a stack that uses it."""
    if plan.text("SimilarityStore") != "s3vectors":
        return
    if answers is True:
        yield Finding(Status.OK, "S3 Vectors", f"answers in {plan.region}")
    else:
        reason = answers.reason if isinstance(answers, Unknown) else "unexpected answer"
        action = "If the region has no S3 Vectors, deploy with SimilarityStore=table."
        yield Finding(Status.UNKNOWN, "S3 Vectors", reason, action)


def list_certificates(plan: Plan) -> dict[str, tuple[str, list[str]]]:
    """List the parameters with a certificate: its ARN and the hosts to cover."""
    dialect_hosts = ("ImgproxyDomainName", "ThumborDomainName", "DitDomainName")
    hosts = {"CertificateArn": [plan.text(name) for name in ("DomainName", *dialect_hosts)]}
    return {
        name: (plan.text(name), [host for host in covered if host])
        for name, covered in hosts.items()
        if plan.text(name)
    }


def check_certificate(name: str, arn: str, hosts: list[str], certificate: Certificate | Unknown) -> Finding:
    """Check that CloudFront can use a certificate for ``hosts``."""
    region = (arn.split(":") + [""] * 4)[3]
    request = f"aws acm request-certificate --region {WEB_ACL_REGION} --validation-method DNS --domain-name "
    request += hosts[0] if hosts else "HOST"
    if region != WEB_ACL_REGION:
        action = f"CloudFront looks for certificates in {WEB_ACL_REGION} only: request it there."
        return Finding(Status.PROBLEM, name, f"the certificate is in {region or 'no region'}", action, request)
    if isinstance(certificate, Unknown):
        if "ResourceNotFoundException" in certificate.reason:
            return Finding(Status.PROBLEM, name, "there is no such certificate", "Request it.", request)
        return Finding(Status.UNKNOWN, name, certificate.reason, "Check it in ACM's console, in us-east-1.")
    if certificate.status != "ISSUED":
        command = f"aws acm describe-certificate --region {WEB_ACL_REGION} --certificate-arn {arn} "
        command += "--query 'Certificate.DomainValidationOptions'"
        action = "Put the records for its validation into DNS and wait until it is issued."
        return Finding(Status.PROBLEM, name, f"the certificate is {certificate.status}", action, command)
    bare = [host for host in hosts if not any(_covers(one, host) for one in certificate.names)]
    if bare:
        found = f"it is for {', '.join(certificate.names)}, not for {', '.join(bare)}"
        return Finding(Status.PROBLEM, name, found, "Request one for these hosts.", request)
    return Finding(Status.OK, name, f"issued for {', '.join(certificate.names)}")


def _covers(name: str, host: str) -> bool:
    """Return whether a certificate's name covers a host: ``*`` is one label."""
    if name == host:
        return True
    return name.startswith("*.") and host.partition(".")[2] == name[2:]


def check_key(plan: Plan, state: str | Unknown) -> Iterator[Finding]:
    """Check that the KMS key is usable."""
    if not (arn := plan.text("KmsKeyArn")):
        return
    region = arn.split(":")[3]
    if region != plan.region:
        action = f"Take a key of {plan.region}: buckets and tables accept no other."
        yield Finding(Status.PROBLEM, "KMS key", f"it is in {region}", action)
    elif isinstance(state, Unknown):
        yield Finding(Status.UNKNOWN, "KMS key", state.reason, "Check it in KMS's console.")
    elif state != "Enabled":
        command = f"aws kms enable-key --key-id {arn} --region {region}"
        yield Finding(Status.PROBLEM, "KMS key", f"it is {state}", "Enable it, or take another.", command)
    else:
        yield Finding(Status.OK, "KMS key", "it is enabled")
