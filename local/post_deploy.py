"""What the template asks for and MiniStack leaves out, and the keys that this machine signs with.

MiniStack 1.5.33 makes each resource of the template, but not all that is said of it. What is missing is set here
through the services' own APIs, from the deployed template, so that what is read back is what the template says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tools.events import LOCAL_KEY

from . import dialect_keys
from .aws import Cloud
from .cfn_resolver import Resource, resources
from .lifecycle import to_s3_rule
from .paths import STACK


def complete(cloud: Cloud, name: str = STACK) -> None:
    """Finish the deployment of the stack ``name``."""
    for resource in resources(cloud, name):
        for left_out, apply in _LEFT_OUT.get(resource.kind, {}).items():
            if (value := resource.property(left_out)) is not None:
                apply(cloud, resource, value)
    listed = cloud.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in listed}
    keys = {"SigningKeysArn": {"current": LOCAL_KEY, "previous": ""}, "LanguageKeysArn": dialect_keys.DOCUMENT}
    for output, document in keys.items():
        if secret := outputs.get(output):
            cloud.secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(document))


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


def _time_to_live(cloud: Cloud, table: Resource, value: Any) -> None:
    known = cloud.dynamodb.describe_time_to_live(TableName=table.physical_id)["TimeToLiveDescription"]
    if known.get("AttributeName") != value["AttributeName"]:  # it may not be switched on twice
        cloud.dynamodb.update_time_to_live(TableName=table.physical_id, TimeToLiveSpecification=value)


def _recovery(cloud: Cloud, table: Resource, value: Any) -> None:
    cloud.dynamodb.update_continuous_backups(TableName=table.physical_id, PointInTimeRecoverySpecification=value)


def _reserve(cloud: Cloud, function: Resource, value: Any) -> None:
    cloud.functions.put_function_concurrency(FunctionName=function.physical_id, ReservedConcurrentExecutions=int(value))


def _recursion(cloud: Cloud, function: Resource, value: Any) -> None:
    cloud.functions.put_function_recursion_config(FunctionName=function.physical_id, RecursiveLoop=value)


def _scaling(cloud: Cloud, mapping: Resource, value: Any) -> None:
    """It keeps a parameter's text there, and its poller then fails for every queue."""
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

_LEFT_OUT: Mapping[str, Mapping[str, Setter]] = {
    "AWS::S3::Bucket": {
        "LifecycleConfiguration": _lifecycle,
        "BucketEncryption": _encryption,
        "OwnershipControls": _ownership,
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
"""Properties that MiniStack does not apply, by type of resource."""
