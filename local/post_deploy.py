"""Complete a deployment: properties that MiniStack ignores, the local signing keys and a test certificate.

MiniStack 1.5.33 creates each resource of the template, but ignores some properties. This module sets them through the
services' APIs, with values of the deployed template.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.events import LOCAL_KEY

from . import dialect_keys
from .aws import Cloud
from .cfn_resolver import Resource, list_resources
from .lifecycle import to_s3_rule
from .paths import STACK
from .signing_certificate import store_certificate


def complete(cloud: Cloud, name: str = STACK) -> None:
    """Complete the deployment of the stack ``name`` of ``template.yaml``."""
    apply_properties(cloud, name)
    outputs = cloud.read_outputs(name)
    keys = {"SigningKeysArn": {"current": LOCAL_KEY, "previous": ""}, "LanguageKeysArn": dialect_keys.DOCUMENT}
    for output, document in keys.items():
        if secret := outputs.get(output):
            cloud.secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(document))
    store_certificate(cloud, name)


def apply_properties(cloud: Cloud, name: str) -> None:
    """Set the properties that MiniStack ignores, of all resources of the stack ``name``."""
    for resource in list_resources(cloud, name):
        for property_name, apply in _SETTERS.get(resource.kind, {}).items():
            if (value := resource.property(property_name)) is not None:
                apply(cloud, resource, value)


def _lifecycle(cloud: Cloud, bucket: Resource, value: Any) -> None:
    cloud.s3.put_bucket_lifecycle_configuration(
        Bucket=bucket.physical_id, LifecycleConfiguration={"Rules": [to_s3_rule(rule) for rule in value["Rules"]]}
    )


def _encryption(cloud: Cloud, bucket: Resource, value: Any) -> None:
    rules: Any = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    cloud.s3.put_bucket_encryption(Bucket=bucket.physical_id, ServerSideEncryptionConfiguration={"Rules": rules})


def _ownership(cloud: Cloud, bucket: Resource, value: Any) -> None:
    cloud.s3.put_bucket_ownership_controls(Bucket=bucket.physical_id, OwnershipControls=value)


def _object_lock(cloud: Cloud, bucket: Resource, value: Any) -> None:
    retention = value["Rule"]["DefaultRetention"]
    retention["Days"] = int(retention["Days"])
    cloud.s3.put_object_lock_configuration(Bucket=bucket.physical_id, ObjectLockConfiguration=value)


def _time_to_live(cloud: Cloud, table: Resource, value: Any) -> None:
    known = cloud.dynamodb.describe_time_to_live(TableName=table.physical_id)["TimeToLiveDescription"]
    if known.get("AttributeName") != value["AttributeName"]:  # an enabled setting cannot be enabled again
        cloud.dynamodb.update_time_to_live(TableName=table.physical_id, TimeToLiveSpecification=value)


def _recovery(cloud: Cloud, table: Resource, value: Any) -> None:
    cloud.dynamodb.update_continuous_backups(TableName=table.physical_id, PointInTimeRecoverySpecification=value)


def _reserve(cloud: Cloud, function: Resource, value: Any) -> None:
    cloud.functions.put_function_concurrency(FunctionName=function.physical_id, ReservedConcurrentExecutions=int(value))


def _recursion(cloud: Cloud, function: Resource, value: Any) -> None:
    cloud.functions.put_function_recursion_config(FunctionName=function.physical_id, RecursiveLoop=value)


def _scaling(cloud: Cloud, mapping: Resource, value: Any) -> None:
    """Set the maximum as a number: MiniStack stores a parameter's text, with which its poller fails for every queue."""
    cloud.functions.update_event_source_mapping(
        UUID=mapping.physical_id, ScalingConfig={"MaximumConcurrency": int(value["MaximumConcurrency"])}
    )


def _throttling(cloud: Cloud, stage: Resource, value: Any) -> None:
    cloud.http_apis.update_stage(
        ApiId=stage.property("ApiId"),
        StageName=stage.physical_id,
        DefaultRouteSettings={
            "ThrottlingRateLimit": float(value["ThrottlingRateLimit"]),
            "ThrottlingBurstLimit": int(value["ThrottlingBurstLimit"]),
        },
    )


def _cors(cloud: Cloud, api: Resource, value: Any) -> None:
    value["MaxAge"] = int(value["MaxAge"])
    cloud.http_apis.update_api(ApiId=api.physical_id, CorsConfiguration=value)


type Setter = Callable[[Cloud, Resource, Any], None]

_SETTERS: Mapping[str, Mapping[str, Setter]] = {
    "AWS::S3::Bucket": {
        "LifecycleConfiguration": _lifecycle,
        "BucketEncryption": _encryption,
        "OwnershipControls": _ownership,
        "ObjectLockConfiguration": _object_lock,
    },
    "AWS::DynamoDB::Table": {
        "TimeToLiveSpecification": _time_to_live,
        "PointInTimeRecoverySpecification": _recovery,
    },
    "AWS::Lambda::Function": {"ReservedConcurrentExecutions": _reserve, "RecursiveLoop": _recursion},
    "AWS::Lambda::EventSourceMapping": {"ScalingConfig": _scaling},
    "AWS::ApiGatewayV2::Api": {"CorsConfiguration": _cors},
    "AWS::ApiGatewayV2::Stage": {"DefaultRouteSettings": _throttling},
}
"""Setters of properties that MiniStack does not apply, by resource type."""
