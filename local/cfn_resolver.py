"""The deployed template with its parameters resolved, read from CloudFormation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from cli.template_values import NO_VALUE, Resolver

from .aws import Cloud
from .paths import REGION, STACK

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceTypeDef

NESTED = "AWS::CloudFormation::Stack"
"""The type into which SAM transforms AWS::Serverless::Application."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A deployed resource. ``property`` resolves one property on each call."""

    logical_id: str
    physical_id: str
    kind: str
    _properties: Mapping[str, Any]
    _resolve: Callable[[Any], Any]

    def property(self, name: str) -> Any:
        """Return the value of a property, None if it is not set. Raises NotResolvable."""
        value = self._resolve(self._properties.get(name))
        return None if value is NO_VALUE else value


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """The root stack or a nested one: its processed template, resolver and resources."""

    name: str
    template: Mapping[str, Any]
    resolver: Resolver
    resources: tuple[Resource, ...]


def list_resources(cloud: Cloud, name: str = STACK) -> Iterator[Resource]:
    """Yield every resource of the stack and of its nested stacks."""
    for stack in list_stacks(cloud, name):
        yield from stack.resources


def describe_resources(cloud: Cloud, name: str = STACK) -> Iterator[StackResourceTypeDef]:
    """Yield DescribeStackResources of the stack and its nested stacks. Faster than ``list_resources``."""
    for resource in cloud.cloudformation.describe_stack_resources(StackName=name)["StackResources"]:
        yield resource
        if resource["ResourceType"] == NESTED:
            yield from describe_resources(cloud, resource["PhysicalResourceId"])


def list_stacks(cloud: Cloud, name: str = STACK) -> Iterator[DeployedStack]:
    """Yield the stack ``name`` (a name or an ARN), then its nested stacks."""
    described: Any = cloud.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    found = cloud.cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    nested = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found if one["ResourceType"] == NESTED}
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    for logical_id, physical_id in nested.items():
        ids |= {f"{logical_id}.Outputs.{output}": value for output, value in cloud.read_outputs(physical_id).items()}
    template, resolver = read_template(cloud, ids, name)
    declared = template["Resources"]
    yield DeployedStack(
        described["StackName"],
        template,
        resolver,
        tuple(
            Resource(
                one["LogicalResourceId"],
                one["PhysicalResourceId"],
                one["ResourceType"],
                declared[one["LogicalResourceId"]].get("Properties", {}),
                resolver.resolve,
            )
            for one in found
        ),
    )
    for physical_id in nested.values():
        yield from list_stacks(cloud, physical_id)


def read_template(cloud: Cloud, ids: Mapping[str, str], name: str = STACK) -> tuple[Any, Resolver]:
    """Return the template with all conditional resources, and a resolver of its parameters and ``ids``."""
    template: Any = cloud.cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    if isinstance(template, str):  # of a nested stack without a transform
        template = yaml.safe_load(template)
    stack = cloud.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    given = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])}
    return template, Resolver(template, {**given, **ids}, stack["StackName"], REGION)


def read_nested_template(cloud: Cloud, url: str) -> dict[str, Any]:
    """Return the template of a nested stack, which ``sam deploy`` uploads to ``url`` even if its condition is false."""
    bucket, key = urlsplit(url).path.lstrip("/").split("/", 1)
    body = cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    template: dict[str, Any] = yaml.safe_load(body)
    return template
