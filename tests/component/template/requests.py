"""Requests of the services' APIs by which CloudFormation creates a resource, held against the constraints of the API.

CloudFormation's resource schemas know fewer limits than the services, whose models have enumerations, patterns, lengths
and ranges of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore import xform_name

from local.emulation.constraints import find_violations
from local.lifecycle import to_s3_rule

from .creating import converted
from .schemas import VECTORS
from .stack import PSEUDO, Node

ACCOUNT = PSEUDO["AWS::AccountId"]


@dataclass(frozen=True)
class Request:
    """A request with parameters as CloudFormation's properties have them."""

    service: str
    operation: str
    properties: Node

    @property
    def parameters(self) -> Node:
        """The parameters as the API has them."""
        shape = _SESSION.get_service_model(self.service).operation_model(self.operation).input_shape
        found: Node = converted(shape, self.properties) if shape else {}
        return found

    @property
    def method(self) -> str:
        """The name of the operation as a method of boto3."""
        return xform_name(self.operation)


type Requests = Iterator[Request]
type Build = Callable[[str, Node], Requests]
"""From the name that CloudFormation generates, and properties without references, to requests in their order."""

_SESSION = botocore.session.get_session()


def one(service: str, operation: str, *left_out: str, named: str = "", **other_names: str) -> Build:
    """One request with all properties but ``left_out``; ``named`` has the generated name if it is not given."""

    def build(name: str, properties: Node) -> Requests:
        kept = {other_names.get(key, key): value for key, value in properties.items() if key not in left_out}
        yield Request(service, operation, ({named: name} if named else {}) | kept)

    return build


def _secret(name: str, properties: Node) -> Requests:
    generated = properties.get("GenerateSecretString", {})
    yield Request(
        "secretsmanager", "GetRandomPassword", _without(generated, "SecretStringTemplate", "GenerateStringKey")
    )
    secret = json.loads(generated.get("SecretStringTemplate", "{}")) | {
        generated.get("GenerateStringKey", "key"): "x" * 43
    }
    kept = _without(properties, "GenerateSecretString")
    yield Request("secretsmanager", "CreateSecret", {"Name": name, "SecretString": json.dumps(secret)} | kept)


def _table(name: str, properties: Node) -> Requests:
    table = {"TableName": properties.get("TableName", name)}
    apart = ("TimeToLiveSpecification", "PointInTimeRecoverySpecification")
    created = _without(properties, *apart)
    if "SSESpecification" in created:
        created["SSESpecification"] = {"Enabled": created["SSESpecification"].pop("SSEEnabled")} | created[
            "SSESpecification"
        ]
    yield Request("dynamodb", "CreateTable", table | created)
    for key, operation in zip(apart, ("UpdateTimeToLive", "UpdateContinuousBackups"), strict=True):
        if key in properties:
            yield Request("dynamodb", operation, table | {key: properties[key]})


def _role(name: str, properties: Node) -> Requests:
    role = {"RoleName": properties.get("RoleName", name)}
    yield Request("iam", "CreateRole", role | _without(properties, "Policies", "ManagedPolicyArns"))
    for policy in properties.get("Policies", []):
        yield Request("iam", "PutRolePolicy", role | policy)
    for arn in properties.get("ManagedPolicyArns", []):
        yield Request("iam", "AttachRolePolicy", role | {"PolicyArn": arn})


def _rule(name: str, properties: Node) -> Requests:
    rule = properties.get("Name", name)
    yield Request("events", "PutRule", {"Name": rule} | _without(properties, "Targets"))
    yield Request("events", "PutTargets", {"Rule": rule, "Targets": properties["Targets"]})


def _function(name: str, properties: Node) -> Requests:
    function = {"FunctionName": properties.get("FunctionName", name)}
    apart = {"ReservedConcurrentExecutions": "PutFunctionConcurrency", "RecursiveLoop": "PutFunctionRecursionConfig"}
    yield Request("lambda", "CreateFunction", function | _without(properties, *apart))
    for key, operation in apart.items():
        if key in properties:
            yield Request("lambda", operation, function | {key: properties[key]})


def _log_group(name: str, properties: Node) -> Requests:
    group = {"logGroupName": properties.get("LogGroupName", name)}
    yield Request("logs", "CreateLogGroup", group | _without(properties, "LogGroupName", "RetentionInDays"))
    if "RetentionInDays" in properties:
        yield Request("logs", "PutRetentionPolicy", group | {"retentionInDays": properties["RetentionInDays"]})


def _queue(name: str, properties: Node) -> Requests:
    attributes = _without(properties, "QueueName", "Tags")
    yield Request(
        "sqs",
        "CreateQueue",
        {"QueueName": properties.get("QueueName", name), "Attributes": attributes, "tags": properties.get("Tags", [])},
    )


def _queue_policy(_: str, properties: Node) -> Requests:
    for url in properties["Queues"]:
        policy = {"Policy": properties["PolicyDocument"]}
        yield Request("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": policy})


def _topic(name: str, properties: Node) -> Requests:
    attributes = _without(properties, "TopicName", "Tags")
    created = {"Name": properties.get("TopicName", name), "Attributes": attributes, "Tags": properties.get("Tags", [])}
    yield Request("sns", "CreateTopic", created)


def _topic_policy(_: str, properties: Node) -> Requests:
    for topic in properties["Topics"]:
        value = json.dumps(properties["PolicyDocument"])
        request = {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": value}
        yield Request("sns", "SetTopicAttributes", request)


def _bucket(name: str, properties: Node) -> Requests:
    bucket = {"Bucket": properties.get("BucketName", name)}
    locked = properties.get("ObjectLockEnabled", False)
    yield Request("s3", "CreateBucket", bucket | ({"ObjectLockEnabledForBucket": locked} if locked else {}))
    for key, value in _without(properties, "BucketName", "ObjectLockEnabled").items():
        operation, member, convert = _OF_BUCKETS[key]
        yield Request("s3", operation, bucket | {member: convert(value)})


def _encryption(value: Node) -> Node:
    rules = [
        {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
        | {key: rule[key] for key in ("BucketKeyEnabled",) if key in rule}
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


def _cors(value: Node) -> Node:
    names = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
    return {"CORSRules": [{names.get(key, key): item for key, item in rule.items()} for rule in value["CorsRules"]]}


def _notification(value: Node) -> Node:
    assert set(value) <= {"EventBridgeConfiguration", "QueueConfigurations"}, value
    queues = [
        {
            "Events": [rule["Event"]],
            "QueueArn": rule["Queue"],
            "Filter": {"Key": {"FilterRules": rule["Filter"]["S3Key"]["Rules"]}},
        }
        for rule in value.get("QueueConfigurations", [])
    ]
    return {"EventBridgeConfiguration": {}} | ({"QueueConfigurations": queues} if queues else {})


_OF_BUCKETS: Mapping[str, tuple[str, str, Callable[[Any], Any]]] = {
    "BucketEncryption": ("PutBucketEncryption", "ServerSideEncryptionConfiguration", _encryption),
    "CorsConfiguration": ("PutBucketCors", "CORSConfiguration", _cors),
    "LifecycleConfiguration": (
        "PutBucketLifecycleConfiguration",
        "LifecycleConfiguration",
        lambda value: {"Rules": [to_s3_rule(rule) for rule in value["Rules"]]},
    ),
    "NotificationConfiguration": (
        "PutBucketNotificationConfiguration",
        "NotificationConfiguration",
        _notification,
    ),
    "ObjectLockConfiguration": ("PutObjectLockConfiguration", "ObjectLockConfiguration", dict),
    "OwnershipControls": ("PutBucketOwnershipControls", "OwnershipControls", dict),
    "PublicAccessBlockConfiguration": ("PutPublicAccessBlock", "PublicAccessBlockConfiguration", dict),
    "Tags": ("PutBucketTagging", "Tagging", lambda value: {"TagSet": value}),
    "VersioningConfiguration": ("PutBucketVersioning", "VersioningConfiguration", dict),
}
"""Operation, member and conversion of a bucket's properties."""


def _distribution(name: str, properties: Node) -> Requests:
    config = properties["DistributionConfig"]
    no_logs = {"Enabled": "Logging" in config, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
    changed = {
        "CallerReference": name,
        "Origins": [_origin(origin) for origin in config["Origins"]],
        "DefaultCacheBehavior": _behaviour(config["DefaultCacheBehavior"]),
        "CacheBehaviors": [_behaviour(behaviour) for behaviour in config.get("CacheBehaviors", [])],
        "Logging": no_logs | config.get("Logging", {}),
        "IsIPV6Enabled": config.get("IPV6Enabled", False),
    }
    yield Request("cloudfront", "CreateDistribution", {"DistributionConfig": _without(config, "IPV6Enabled") | changed})


def _origin(origin: Node) -> Node:
    custom = origin.get("CustomOriginConfig")
    ports = {"HTTPPort": 80, "HTTPSPort": 443}
    return origin | ({"CustomOriginConfig": ports | custom} if custom else {})


def _behaviour(behaviour: Node) -> Node:
    """A cache behaviour whose cached methods are within its allowed ones."""
    methods = behaviour.get("AllowedMethods", ["GET", "HEAD"])
    cached = behaviour.get("CachedMethods", ["GET", "HEAD"])
    allowed = {"Quantity": len(methods), "Items": methods, "CachedMethods": cached}
    return _without(behaviour, "CachedMethods") | {"AllowedMethods": allowed}


def _key(_: str, properties: Node) -> Requests:
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
    kept = _without(properties, "EnableKeyRotation", "KeyPolicy", "Tags")
    yield Request("kms", "CreateKey", kept | {"Policy": properties["KeyPolicy"], "Tags": tags})


def _managed_policy(name: str, properties: Node) -> Requests:
    policy = properties.get("ManagedPolicyName", name)
    yield Request("iam", "CreatePolicy", {"PolicyName": policy} | _without(properties, "ManagedPolicyName", "Roles"))
    for role in properties.get("Roles", []):
        arn = f"arn:aws:iam::{ACCOUNT}:policy/{policy}"
        yield Request("iam", "AttachRolePolicy", {"RoleName": role, "PolicyArn": arn})


def _scaling_policy(_: str, properties: Node) -> Requests:
    resource, dimension, namespace = (
        properties.get(key) for key in ("ResourceId", "ScalableDimension", "ServiceNamespace")
    )
    if target := properties.get("ScalingTargetId"):
        resource, dimension, namespace = target.split("|")
    named = {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    yield Request("application-autoscaling", "PutScalingPolicy", named | _without(properties, "ScalingTargetId"))


def _function_url(_: str, properties: Node) -> Requests:
    """The alias of a function's ARN is a parameter of its own in the API."""
    name, _, qualifier = properties["TargetFunctionArn"].rpartition(":function:")[2].partition(":")
    named = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
    yield Request("lambda", "CreateFunctionUrlConfig", named | _without(properties, "TargetFunctionArn"))


def _permission(name: str, properties: Node) -> Requests:
    yield Request("lambda", "AddPermission", {"StatementId": name} | properties)


def _bucket_policy(_: str, properties: Node) -> Requests:
    yield Request("s3", "PutBucketPolicy", {"Bucket": properties["Bucket"], "Policy": properties["PolicyDocument"]})


def _state_machine(name: str, properties: Node) -> Requests:
    place = properties["DefinitionS3Location"]
    definition = json.dumps({"Comment": place["Key"], "StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    kept = _without(
        properties, "DefinitionS3Location", "DefinitionSubstitutions", "StateMachineName", "StateMachineType"
    )
    named = {"name": properties.get("StateMachineName", name), "type": properties["StateMachineType"]}
    yield Request("stepfunctions", "CreateStateMachine", named | {"definition": definition} | kept)


def _without(properties: Node, *names: str) -> Node:
    return {key: value for key, value in properties.items() if key not in names}


CREATING: Mapping[str, Build] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::DynamoDB::Table": _table,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _topic,
    "AWS::KMS::Key": _key,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::LayerVersion": one("lambda", "PublishLayerVersion", named="LayerName"),
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Version": one("lambda", "PublishVersion", "ProvisionedConcurrencyConfig"),
    "AWS::Lambda::Alias": one("lambda", "CreateAlias", "ProvisionedConcurrencyConfig"),
    "AWS::Lambda::EventInvokeConfig": one("lambda", "PutFunctionEventInvokeConfig"),
    "AWS::Lambda::EventSourceMapping": one("lambda", "CreateEventSourceMapping"),
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Url": _function_url,
    "AWS::Events::Rule": _rule,
    "AWS::StepFunctions::StateMachine": _state_machine,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": one("sns", "Subscribe"),
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::ApiGatewayV2::Api": one("apigatewayv2", "CreateApi"),
    "AWS::ApiGatewayV2::Integration": one("apigatewayv2", "CreateIntegration"),
    "AWS::ApiGatewayV2::Route": one("apigatewayv2", "CreateRoute"),
    "AWS::ApiGatewayV2::Stage": one("apigatewayv2", "CreateStage"),
    "AWS::CloudFront::KeyValueStore": one("cloudfront", "CreateKeyValueStore", "Tags"),
    "AWS::CloudFront::Function": one("cloudfront", "CreateFunction", "AutoPublish", "Tags"),
    "AWS::CloudFront::CachePolicy": one("cloudfront", "CreateCachePolicy"),
    "AWS::CloudFront::OriginRequestPolicy": one("cloudfront", "CreateOriginRequestPolicy"),
    "AWS::CloudFront::ResponseHeadersPolicy": one("cloudfront", "CreateResponseHeadersPolicy"),
    "AWS::CloudFront::OriginAccessControl": one("cloudfront", "CreateOriginAccessControl"),
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudFront::MonitoringSubscription": one("cloudfront", "CreateMonitoringSubscription"),
    "AWS::WAFv2::WebACL": one("wafv2", "CreateWebACL", named="Name"),
    "AWS::CloudWatch::Alarm": one("cloudwatch", "PutMetricAlarm", named="AlarmName"),
    "AWS::CloudWatch::CompositeAlarm": one("cloudwatch", "PutCompositeAlarm", named="AlarmName"),
    "AWS::CloudWatch::Dashboard": one("cloudwatch", "PutDashboard", named="DashboardName"),
    "AWS::Cognito::UserPool": one("cognito-idp", "CreateUserPool", "EnabledMfas", UserPoolName="PoolName"),
    "AWS::Cognito::UserPoolClient": one("cognito-idp", "CreateUserPoolClient"),
    "AWS::Cognito::UserPoolDomain": one("cognito-idp", "CreateUserPoolDomain"),
    "AWS::Cognito::UserPoolGroup": one("cognito-idp", "CreateGroup"),
    "AWS::S3Vectors::VectorBucket": lambda _, properties: iter(
        [Request("s3vectors", "CreateVectorBucket", {"vectorBucketName": VECTORS} | properties)]
    ),
    "AWS::S3Vectors::Index": one("s3vectors", "CreateIndex"),
    "AWS::SageMaker::Model": one("sagemaker", "CreateModel", named="ModelName"),
    "AWS::SageMaker::EndpointConfig": one("sagemaker", "CreateEndpointConfig", named="EndpointConfigName"),
    # The other two belong to UpdateEndpoint.
    "AWS::SageMaker::Endpoint": one(
        "sagemaker", "CreateEndpoint", "RetainAllVariantProperties", "ExcludeRetainedVariantProperties"
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": one("application-autoscaling", "RegisterScalableTarget"),
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling_policy,
    "AWS::Budgets::Budget": lambda _, properties: iter(
        [Request("budgets", "CreateBudget", {"AccountId": ACCOUNT} | properties)]
    ),
}
"""The requests that create a resource by its type, in an order in which each type finds those that it refers to."""


def wrong_requests(resources: Mapping[str, Node]) -> list[str]:
    """Return what the APIs' constraints do not allow in the requests that create ``resources``."""
    wrong: list[str] = []
    for logical_id, resource in resources.items():
        for request in CREATING[resource["Type"]](f"stack-{logical_id}-1a2b3c4d".lower(), resource["Properties"]):
            shape = _SESSION.get_service_model(request.service).operation_model(request.operation).input_shape
            wrong += [f"{logical_id}: {violation}" for violation in find_violations(shape, request.parameters)]
    return wrong
