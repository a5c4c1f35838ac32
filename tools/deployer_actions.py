"""Write cli/preflight/deployer_actions.json: IAM actions by which CloudFormation handles the templates' resources.

Both sources are AWS's, as cfn-lint bundles them: ``handlers.permissions`` of the resource provider schemas, and the
Service Authorization Reference with the resources that each action can be limited to. Actions that change something are
left out if they belong to a property that no template sets. Other actions read, and CloudFormation calls them whatever
a template sets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from cli.preflight.policy import CODE, STACKS
from extensions import list_templates
from tools.default_deployment import expand_template

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "cli" / "preflight" / "deployer_actions.json"
REGION = "us-east-1"
"""The region with every resource type."""

VARIANTS: tuple[Mapping[str, str], ...] = ({}, {"Deployments": "Canary10Percent5Minutes"})
"""Parameters on which it depends what SAM generates."""


def _shorten(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.removeprefix("arn:aws:") for one in patterns)


SCOPES: Mapping[str, tuple[str, ...]] = {
    "apigateway:${Region}::/apis": ("apigateway:${Region}::/apis",),
    "apigateway:${Region}::/apis/*": ("apigateway:${Region}::/apis/*",),
    "apigateway:${Region}::/tags/*": ("apigateway:${Region}::/tags/*",),
    "application-autoscaling:${Region}:${Account}:scalable-target/*": (
        "application-autoscaling:${Region}:${Account}:scalable-target/*",
    ),
    "budgets::${Account}:budget/*": ("budgets::${Account}:budget/*",),
    "cloudformation:${Region}:${Account}:stack/*": _shorten(STACKS),
    **{
        f"cloudfront::${{Account}}:{kind}/*": (f"cloudfront::${{Account}}:{kind}/*",)
        for kind in (
            *("cache-policy", "distribution", "function", "key-value-store", "origin-access-control"),
            *("origin-request-policy", "response-headers-policy"),
        )
    },
    "cloudwatch:${Region}:${Account}:alarm:*": ("cloudwatch:${Region}:${Account}:alarm:${Stack}-*",),
    "cloudwatch::${Account}:dashboard/*": ("cloudwatch::${Account}:dashboard/${Stack}-*",),
    "codedeploy:${Region}:${Account}:application:*": ("codedeploy:${Region}:${Account}:application:${Stack}-*",),
    "codedeploy:${Region}:${Account}:deploymentconfig:*": ("codedeploy:${Region}:${Account}:deploymentconfig:*",),
    "codedeploy:${Region}:${Account}:deploymentgroup:*": (
        "codedeploy:${Region}:${Account}:deploymentgroup:${Stack}-*",
    ),
    "cognito-idp:${Region}:${Account}:userpool/*": ("cognito-idp:${Region}:${Account}:userpool/*",),
    "dynamodb:${Region}:${Account}:table/*": ("dynamodb:${Region}:${Account}:table/${Stack}-*",),
    "events:${Region}:${Account}:rule/*": ("events:${Region}:${Account}:rule/${Stack}-*",),
    "iam::${Account}:policy/*": ("iam::${Account}:policy/${Stack}-*",),
    "iam::${Account}:role/*": ("iam::${Account}:role/${Stack}-*",),
    "kms:${Region}:${Account}:key/*": ("kms:${Region}:${Account}:key/*",),
    "lambda:${Region}:${Account}:event-source-mapping:*": ("lambda:${Region}:${Account}:event-source-mapping:*",),
    "lambda:${Region}:${Account}:function:*": ("lambda:${Region}:${Account}:function:${Stack}-*",),
    "lambda:${Region}:${Account}:layer:*": ("lambda:${Region}:${Account}:layer:${Stack}-*",),
    "logs:${Region}:${Account}:log-group:*": ("logs:${Region}:${Account}:log-group:/aws/lambda/${Stack}-*",),
    "s3:::*": ("s3:::${stack}-*", *_shorten(CODE)),
    "s3vectors:${Region}:${Account}:bucket/*": ("s3vectors:${Region}:${Account}:bucket/*",),
    "sagemaker:${Region}:${Account}:endpoint/*": ("sagemaker:${Region}:${Account}:endpoint/*",),
    "sagemaker:${Region}:${Account}:endpoint-config/*": ("sagemaker:${Region}:${Account}:endpoint-config/*",),
    "sagemaker:${Region}:${Account}:model/*": ("sagemaker:${Region}:${Account}:model/*",),
    "secretsmanager:${Region}:${Account}:secret:*": ("secretsmanager:${Region}:${Account}:secret:${Secret}-*",),
    "sns:${Region}:${Account}:*": ("sns:${Region}:${Account}:${Stack}-*",),
    "sqs:${Region}:${Account}:*": ("sqs:${Region}:${Account}:${Stack}-*",),
    "states:${Region}:${Account}:stateMachine:*": ("states:${Region}:${Account}:stateMachine:${Stack}-*",),
    "wafv2:${Region}:${Account}:*": ("wafv2:${Region}:${Account}:global/*",),
}
"""Patterns of the templates' resources by that of the Service Authorization Reference, without ``arn:aws:``.

Names begin with that of the stack where a template or CloudFormation names resources so, for buckets in lower case
(``${stack}``). Secrets without a name get their logical ids (``${Secret}``), as in ``SigningKeys-…``. Other resources
have generated ids. Patterns that are not listed are of resources that no template has.
"""

SPECIAL_SCOPES: Mapping[str, str] = {
    "iam:CreateServiceLinkedRole": "arn:aws:iam::${Account}:role/aws-service-role/*",
    "lambda:InvokeFunction": "arn:aws:lambda:${Region}:${Account}:function:${Stack}-PublishFunction-*",
    "s3:GetObject": CODE[0],
    "s3:GetObjectVersion": CODE[0],
}
"""Narrower than the reference: CloudFormation reads built code only, never objects of the stack's buckets, and invokes
only the function of the custom resource."""

CONTENTS = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan")
"""Reads of data, for imports and replicas that no template has."""

HANDLERS = ("create", "read", "update", "delete")
READS = ("Get", "List", "Describe", "Head", "View")

ONLY_WITH: Mapping[str, Mapping[str, str]] = {
    "AWS::ApiGatewayV2::Api": {"Body": "s3:*"},
    "AWS::ApiGatewayV2::Integration": {"CredentialsArn": "iam:*"},
    "AWS::Budgets::Budget": {"BillingViewArn": "billing:*"},
    "AWS::CloudFront::Distribution": {"TenantConfig": "cloudfront:*ConnectionGroup"},
    "AWS::CloudFront::KeyValueStore": {"ImportSource": "s3:*"},
    "AWS::Cognito::UserPool": {"LambdaConfig": "kms:*", "SmsConfiguration": "iam:*"},
    "AWS::Cognito::UserPoolClient": {"AnalyticsConfiguration": "iam:*"},
    "AWS::Cognito::UserPoolDomain": {"CustomDomainConfig": "cloudfront:*", "CustomDomain": "kms:*"},
    "AWS::Cognito::UserPoolGroup": {"RoleArn": "iam:*"},
    "AWS::DynamoDB::Table": {
        "KinesisStreamSpecification": "*Kinesis*",
        "ImportSourceSpecification": "dynamodb:ImportTable",
        "Replicas": "dynamodb:*Replica*",
        "ReplicaItems": "dynamodb:*Item",
        "ResourcePolicy": "dynamodb:*ResourcePolicy",
        "Kinesis": "kinesis:*",
        "Import": "s3:*",
        "ImportLogs": "logs:*",
    },
    "AWS::Lambda::EventSourceMapping": {"KmsKeyArn": "kms:*"},
    "AWS::Lambda::Function": {
        "FileSystemConfigs": "elasticfilesystem:*",
        "FileSystems": "s3files:*",
        "KmsKeyArn": "kms:*",
        "CodeSigningConfigArn": "lambda:*CodeSigningConfig",
        "CapacityProviderConfig": "lambda:PassCapacityProvider",
        "RuntimeManagementConfig": "lambda:PutRuntimeManagementConfig",
        "FunctionScalingConfig": "lambda:PutFunctionScalingConfig",
    },
    "AWS::Lambda::Version": {"RuntimePolicy": "lambda:PutRuntime*", "FunctionScalingConfig": "lambda:PutFunctionScal*"},
    "AWS::Logs::LogGroup": {
        "DataProtectionPolicy": "logs:*DataProtectionPolicy",
        "FieldIndexPolicies": "logs:*IndexPolicy",
        "KmsKeyId": "logs:*KmsKey",
        "ResourcePolicyDocument": "logs:*ResourcePolicy",
        "DeletionProtectionEnabled": "logs:PutLogGroupDeletionProtection",
        "BearerTokenAuthenticationEnabled": "logs:PutBearerTokenAuthentication",
        "LogDelivery": "logs:CreateLogDelivery",
        "Firehose": "firehose:*",
        "S3": "s3:*",
    },
    "AWS::S3::Bucket": {
        "AbacStatus": "s3:PutBucketAbac",
        "AccelerateConfiguration": "s3:*Accelerate*",
        "AccessControl": "s3:*Acl",
        "AnalyticsConfigurations": "s3:*Analytics*",
        "IntelligentTieringConfigurations": "s3:*IntelligentTiering*",
        "InventoryConfigurations": "s3:*Inventory*",
        "MetadataConfiguration": "s3:*BucketMetadata*",
        "MetadataTables": "s3tables:*",
        "MetricsConfigurations": "s3:*MetricsConfiguration",
        "Objects": "s3:DeleteObject",
        "ReplicationConfiguration": "s3:*Replication*",
        "ReplicationRole": "iam:*",
        "WebsiteConfiguration": "s3:*Website",
    },
    "AWS::SNS::Subscription": {"SubscriptionRoleArn": "iam:*"},
    "AWS::SNS::Topic": {"DataProtectionPolicy": "sns:*DataProtectionPolicy", "DeliveryStatusLogging": "iam:*"},
    "AWS::SecretsManager::Secret": {"ReplicaRegions": "secretsmanager:*Replica*"},
    "AWS::WAFv2::WebACL": {"MonetizationConfig": "payments:*"},
}
"""Patterns of actions by the property that needs them, as the CloudFormation template reference describes it."""


def main() -> None:
    """Write the table."""
    paths = [ROOT / "template.yaml", *sorted(ROOT.glob("stacks/*.yaml")), *list_templates()]
    found = [(str(path.relative_to(ROOT)), *_read_types(path)) for path in paths]
    properties: dict[str, set[str]] = {}
    for _, types, _ in found:
        for kind, names in types.items():
            properties.setdefault(kind, set()).update(names)
    actions = {kind: sorted(_list_actions(kind, names)) for kind, names in sorted(properties.items())}
    table = {
        "generated": {name: sorted(set(types) - written) for name, types, written in found},
        "actions": actions,
        "scopes": {one: _list_scopes(one) for one in sorted({one for named in actions.values() for one in named})},
    }
    TARGET.write_text(_format(table), encoding="utf-8")


def _read_types(path: Path) -> tuple[dict[str, set[str]], set[str]]:
    """Return the properties that are set by resource type after SAM's transform, and the types as they are written."""
    types: dict[str, set[str]] = {}
    for parameters in VARIANTS:
        for one in expand_template(path, parameters)["Resources"].values():
            types.setdefault(one["Type"], set()).update(one.get("Properties", {}))
    written = yaml_parse(path.read_text(encoding="utf-8"))["Resources"].values()
    return types, {str(one["Type"]) for one in written}


def _list_actions(kind: str, properties: set[str]) -> Iterator[str]:
    if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
        yield "lambda:InvokeFunction"
        return
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    handlers, tagging = schema.get("handlers", {}), schema.get("tagging", {})
    listed = {one for name in HANDLERS for one in handlers.get(name, {}).get("permissions", [])}
    if "Tags" in properties and isinstance(tagging, dict):
        listed |= set(tagging.get("permissions", []))
    unused = [pattern for name, pattern in ONLY_WITH.get(kind, {}).items() if name not in properties]
    for action in listed - set(CONTENTS):
        service, _, name = action.partition(":")
        own = service == _service(kind) and name.startswith(READS)
        if (
            _is_known(action)
            and _list_scopes(action)
            and (own or not any(fnmatchcase(action, pattern) for pattern in unused))
        ):
            yield action


def _service(kind: str) -> str:
    """Return the IAM prefix of a type's own service."""
    name = kind.split("::")[1].lower()
    return {"apigatewayv2": "apigateway", "cognito": "cognito-idp", "stepfunctions": "states"}.get(name, name)


_REFERENCE: dict[str, Any] = json.loads(
    resources.files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text(encoding="utf-8")
)


def _is_known(action: str) -> bool:
    """Return whether IAM has the action: some schemas name operations, or misspell actions."""
    service, _, name = action.partition(":")
    return name.lower() in _REFERENCE.get(service, {}).get("Actions", {})


def _list_scopes(action: str) -> list[str]:
    """Return patterns of the templates' resources that an action can be limited to, ``*`` if it cannot be limited.

    Empty if the action is for resources that no template has.
    """
    if action in SPECIAL_SCOPES:
        return [SPECIAL_SCOPES[action]]
    service, _, name = action.partition(":")
    known = _REFERENCE[service]
    kinds = known["Actions"][name.lower()].get("Resources", [])
    formats = {arn for kind in kinds for arn in known["Resources"].get(kind.lower(), {}).get("ARNFormats", [])}
    patterns = {one.removeprefix("arn:${Partition}:").replace(".*", "*") for one in formats}
    scopes = {f"arn:aws:{one}" for pattern in patterns for one in SCOPES.get(pattern, ())}
    return sorted(scopes) if patterns else ["*"]


def _format(table: Mapping[str, Mapping[str, list[str]]]) -> str:
    """Return JSON with a line for each entry."""
    parts = []
    for name, entries in table.items():
        lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items())
        parts.append(f' "{name}": {{\n{lines}\n }}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main()
