"""Resolved properties as requests of the service's API, held against botocore's model of it.

CloudFormation's resource schemas know fewer limits than the services, whose models have enumerations, patterns, lengths
and ranges of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.model import Shape

from local.emulation.constraints import find_violations

from .stack import Node

OPERATIONS: Mapping[str, tuple[str, str]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ("application-autoscaling", "RegisterScalableTarget"),
    "AWS::S3Vectors::Index": ("s3vectors", "CreateIndex"),
    "AWS::S3Vectors::VectorBucket": ("s3vectors", "CreateVectorBucket"),
    "AWS::SageMaker::Endpoint": ("sagemaker", "CreateEndpoint"),
    "AWS::SageMaker::EndpointConfig": ("sagemaker", "CreateEndpointConfig"),
    "AWS::SageMaker::Model": ("sagemaker", "CreateModel"),
}
"""The operation that creates a resource, by its type."""

GENERATED: Mapping[str, Mapping[str, str]] = {
    "AWS::S3Vectors::VectorBucket": {"vectorBucketName": "stack-vectors"},
    "AWS::SageMaker::EndpointConfig": {"EndpointConfigName": "EndpointConfig-1A2B3C4D5E6F"},
    "AWS::SageMaker::Model": {"ModelName": "Model-1A2B3C4D5E6F"},
}
"""Names that CloudFormation generates."""

OF_UPDATES = {"RetainAllVariantProperties", "ExcludeRetainedVariantProperties"}
"""Properties of AWS::SageMaker::Endpoint that belong to UpdateEndpoint."""


def wrong_requests(resources: Mapping[str, Node]) -> list[str]:
    """Return what the API's constraints do not allow in the requests that create ``resources``."""
    session = botocore.session.get_session()
    wrong: list[str] = []
    for logical_id, resource in resources.items():
        service, operation = OPERATIONS[resource["Type"]]
        shape = session.get_service_model(service).operation_model(operation).input_shape
        properties = {name: value for name, value in resource["Properties"].items() if name not in OF_UPDATES}
        wrong += check(shape, properties, GENERATED.get(resource["Type"], {}), logical_id)
    return wrong


def check(shape: Shape, properties: Node, generated: Mapping[str, str], name: str) -> list[str]:
    """Return the errors of ``properties`` as a request of ``shape``."""
    request = {**_converted(shape, _untagged(shape, properties)), **generated}
    return [f"{name}: {violation}" for violation in find_violations(shape, request)]


def _untagged(shape: Shape, properties: Node) -> Node:
    """``properties`` with tags as a map, where the API has one."""
    tags = next((member for name, member in shape.members.items() if name.lower() == "tags"), None)
    if tags is None or tags.type_name != "map":
        return properties
    return properties | {"Tags": {tag["Key"]: tag["Value"] for tag in properties["Tags"]}}


def _converted(shape: Shape, value: Any) -> Any:
    """``value`` with the types and the names of ``shape``: parameters are texts, and S3 Vectors has camel case."""
    match shape.type_name:
        case "structure":
            known = {name.lower(): name for name in shape.members}
            return {
                known.get(name.lower(), name): _converted(shape.members[known[name.lower()]], item)
                if name.lower() in known
                else item
                for name, item in value.items()
            }
        case "list":
            return [_converted(shape.member, item) for item in value]
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
    return value
