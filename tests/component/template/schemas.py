"""Resolved resources against CloudFormation's resource provider schemas, which cfn-lint brings along.

For resources that no local engine creates: what CloudFormation would refuse before any service is called. A template
that refers to parameters hides most of it from a linter, so the properties are first resolved for a set of parameters
(``Stack``), and references to resources become identifiers of the shape that AWS gives them.

What this cannot see: that a name is taken, that a quota is too small, that a service refuses a combination which the
schema allows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from .stack import PSEUDO, Node, Stack

REGION, ACCOUNT = PSEUDO["AWS::Region"], PSEUDO["AWS::AccountId"]
VECTORS = "stack-vectors"
"""The name that CloudFormation generates for the bucket of vectors."""

_REFERENCE = re.compile(r"<([A-Za-z0-9]+)((?:\.[A-Za-z0-9]+)*)>")

type Identify = Callable[[str], str]


def _arn(service: str, resource: str, *, region: str = REGION, account: str = ACCOUNT) -> Identify:
    return lambda name: f"arn:aws:{service}:{region}:{account}:{resource.format(name=name)}"


_IDENTIFIERS: Mapping[tuple[str, str], Identify] = {
    ("AWS::ApiGatewayV2::Api", "ApiEndpoint"): lambda name: f"https://{name}.execute-api.{REGION}.amazonaws.com",
    ("AWS::ApplicationAutoScaling::ScalableTarget", ""): lambda name: (
        f"endpoint/{name.lower()}/variant/main|sagemaker:variant:DesiredInstanceCount|sagemaker"
    ),
    ("AWS::CloudFront::Distribution", ""): lambda name: f"E{name.upper():A<13.13}",
    ("AWS::CloudFront::Function", "FunctionARN"): _arn("cloudfront", "function/{name}", region=""),
    ("AWS::CloudFront::KeyValueStore", "Arn"): _arn(
        "cloudfront", "key-value-store/00000000-0000-0000-0000-000000000000", region=""
    ),
    ("AWS::CloudWatch::Alarm", "Arn"): _arn("cloudwatch", "alarm:{name}"),
    ("AWS::CloudWatch::CompositeAlarm", "Arn"): _arn("cloudwatch", "alarm:{name}"),
    ("AWS::Cognito::UserPool", ""): lambda name: f"{REGION}_{name[-9:]}",
    ("AWS::DynamoDB::Table", "Arn"): _arn("dynamodb", "table/{name}"),
    ("AWS::Events::Rule", "Arn"): _arn("events", "rule/{name}"),
    ("AWS::IAM::Role", "Arn"): _arn("iam", "role/{name}", region=""),
    ("AWS::Lambda::Function", "Arn"): _arn("lambda", "function:{name}"),
    ("AWS::Lambda::LayerVersion", ""): _arn("lambda", "layer:{name}:1"),
    ("AWS::Lambda::Version", "Version"): lambda _: "1",
    ("AWS::Logs::LogGroup", "Arn"): _arn("logs", "log-group:{name}:*"),
    ("AWS::S3::Bucket", ""): lambda name: f"stack-{name.lower()}",
    ("AWS::S3::Bucket", "Arn"): _arn("s3", "stack-{name}", region="", account=""),
    ("AWS::S3::Bucket", "RegionalDomainName"): lambda name: f"stack-{name.lower()}.s3.{REGION}.amazonaws.com",
    ("AWS::S3Vectors::VectorBucket", "VectorBucketArn"): _arn("s3vectors", f"bucket/{VECTORS}"),
    ("AWS::S3Vectors::Index", "IndexArn"): _arn("s3vectors", f"bucket/{VECTORS}/index/{{name}}"),
    ("AWS::SNS::Topic", ""): _arn("sns", "{name}"),
    ("AWS::SQS::Queue", "Arn"): _arn("sqs", "{name}"),
    ("AWS::SecretsManager::Secret", "Id"): _arn("secretsmanager", "secret:{name}"),
    ("AWS::SageMaker::Endpoint", ""): lambda name: _arn("sagemaker", "endpoint/{name}")(name.lower()),
    ("AWS::StepFunctions::StateMachine", ""): _arn("states", "stateMachine:{name}"),
    ("AWS::WAFv2::WebACL", "Arn"): _arn("wafv2", "global/webacl/{name}/00000000-0000-0000-0000-000000000000"),
}
"""Results of ``Ref`` (an empty attribute) and ``Fn::GetAtt`` by type, where they are not a generated name."""


def identified(stack: Stack, node: Any, ids: Mapping[str, str] | None = None) -> Any:
    """``node`` of ``stack`` with an identifier in place of each reference to a resource (``<LogicalId.Attribute>``).

    ``ids`` are physical ids of resources that exist, by logical id.
    """
    if isinstance(node, list):
        return [identified(stack, item, ids) for item in node]
    if isinstance(node, Mapping):
        return {key: identified(stack, item, ids) for key, item in node.items()}
    if not isinstance(node, str):
        return node

    def fill(place: re.Match[str]) -> str:
        logical_id, attribute = place[1], place[2].removeprefix(".")
        kind = stack.resources[logical_id]["Type"] if logical_id in stack.resources else ""
        return identifier(kind, logical_id, attribute, (ids or {}).get(logical_id, ""))

    return _REFERENCE.sub(fill, node)


def identifier(kind: str, logical_id: str, attribute: str = "", physical_id: str = "") -> str:
    """The value of ``Ref`` (no ``attribute``) or ``Fn::GetAtt`` of a resource, of a name that CloudFormation generates.

    ``physical_id`` is that of a resource which exists. Without a ``kind`` it is no resource of the stack.
    """
    if not kind:
        return f"stack-{logical_id}"
    if physical_id and not attribute:
        return physical_id
    known = _IDENTIFIERS.get((kind, attribute))
    name = re.split("[/:]", physical_id)[-1] or f"stack-{logical_id}-1A2B3C4D5E6F"
    return known(name) if known else name


def resources_of(stack: Stack, kinds: Iterable[str]) -> dict[str, Node]:
    """The resources of ``stack`` whose type begins with one of ``kinds``: type and properties, with identifiers."""
    prefixes = tuple(kinds)
    return {
        logical_id: {"Type": resource["Type"], "Properties": identified(stack, resource.get("Properties", {}))}
        for logical_id, resource in stack.resources.items()
        if resource["Type"].startswith(prefixes)
    }


def faults(resources: Mapping[str, Node], region: str = REGION) -> list[str]:
    """Return the errors of ``resources`` by the schemas of ``region``, each with the rule and the property's path.

    Required, unknown and read-only properties, types, patterns, enumerations, lengths and ranges.
    """
    document = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": dict(resources)}
    found = lint(json.dumps(document), config=ManualArgs(regions=[region]))
    wrong = [match for match in found if match.rule.id.startswith("E")]
    read_only = [
        f"read-only {logical_id}.{name}"
        for logical_id, resource in resources.items()
        for name in sorted(resource["Properties"].keys() & _read_only(resource["Type"], region))
    ]
    return [f"{match.rule.id} {'.'.join(map(str, match.path or ()))}: {match.message}" for match in wrong] + read_only


def _read_only(kind: str, region: str) -> set[str]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema
    return {path.removeprefix("/properties/") for path in schema.get("readOnlyProperties", [])}
