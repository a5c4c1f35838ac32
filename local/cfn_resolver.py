"""The deployed template with its parameters resolved, read from CloudFormation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from .aws import Cloud
from .paths import REGION, STACK

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceTypeDef

ACCOUNT = "000000000000"
"""The account of MiniStack."""

NESTED = "AWS::CloudFormation::Stack"
"""The type into which SAM transforms AWS::Serverless::Application."""

PSEUDO_PARAMETERS = {
    "AWS::StackName": STACK,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}


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
        return None if value is _NOTHING else value


class NotResolvable(Exception):
    """An intrinsic function that this module does not support."""


_NOTHING = object()


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
    return template, Resolver(template, {**given, **ids}, stack["StackName"])


def read_nested_template(cloud: Cloud, url: str) -> dict[str, Any]:
    """Return the template of a nested stack, which ``sam deploy`` uploads to ``url`` even if its condition is false."""
    bucket, key = urlsplit(url).path.lstrip("/").split("/", 1)
    body = cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    template: dict[str, Any] = yaml.safe_load(body)
    return template


class Resolver:
    """Resolves ``values``: parameters as text, physical ids of resources, and outputs of nested stacks."""

    def __init__(self, template: Mapping[str, Any], values: Mapping[str, str], stack_name: str = STACK) -> None:
        self.given = dict(values)
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._resources: Mapping[str, Any] = template.get("Resources", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        declared = template.get("Parameters", {})
        lists = {name for name in values if declared.get(name, {}).get("Type") == "CommaDelimitedList"}
        split = {name: value.split(",") if name in lists else value for name, value in values.items()}
        self._values = {**PSEUDO_PARAMETERS, "AWS::StackName": stack_name, **split}

    def resolve(self, node: Any) -> Any:
        """Return ``node`` without intrinsic functions. Raises NotResolvable."""
        match node:
            case list():
                return [value for item in node if (value := self.resolve(item)) is not _NOTHING]
            case {"Condition": str(name)} if len(node) == 1:
                return self.holds(name)
            case dict() if len(node) == 1 and ((name := next(iter(node))) == "Ref" or name.startswith("Fn::")):
                if name not in _FUNCTIONS:
                    raise NotResolvable(name)
                return _FUNCTIONS[name](self, node[name])
            case dict():
                return {key: value for key, item in node.items() if (value := self.resolve(item)) is not _NOTHING}
        return node

    def holds(self, condition: str | None) -> bool:
        """Return whether a condition of the template is true; None is always true. Raises NotResolvable."""
        return condition is None or bool(self.resolve(self._conditions[condition]))

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name not in self._values:
            raise NotResolvable(f"Ref {name}")
        return self._values[name]

    def _if(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return self.resolve(yes if self.holds(condition) else no)

    def _get_att(self, argument: list[str] | str) -> Any:
        path = argument if isinstance(argument, str) else ".".join(argument)
        if path in self._values:  # an output of a nested stack
            return self._values[path]
        name, _, attribute = path.partition(".")
        kind = self._resources.get(name, {}).get("Type", "")
        if (kind, attribute) not in _ATTRIBUTES:
            raise NotResolvable(f"GetAtt {name}.{attribute}")
        return _ATTRIBUTES[kind, attribute](str(self._ref(name)))

    def _sub(self, argument: list[Any] | str) -> str:
        text, more = (argument, {}) if isinstance(argument, str) else argument

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in more:
                return str(self.resolve(more[name]))
            return str(self._get_att(name) if "." in name else self._ref(name))

        return _IN_BRACES.sub(fill, text)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self.resolve(part) for part in argument)
        return self._mappings[name][first][second]


_IN_BRACES = re.compile(r"\$\{([^}]+)\}")

_ATTRIBUTES: Mapping[tuple[str, str], Callable[[str], str]] = {
    ("AWS::SQS::Queue", "QueueName"): lambda url: url.rpartition("/")[2],
    ("AWS::SQS::Queue", "Arn"): lambda url: f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}",
    ("AWS::S3::Bucket", "Arn"): lambda name: f"arn:aws:s3:::{name}",
    ("AWS::Lambda::Function", "Arn"): lambda name: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
    ("AWS::CloudWatch::Alarm", "Arn"): lambda name: f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
    ("AWS::CloudWatch::CompositeAlarm", "Arn"): lambda name: f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
}
"""Computed from the value of ``Ref``, by resource type."""

_FUNCTIONS: Mapping[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver._ref,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::Sub": Resolver._sub,
    "Fn::If": Resolver._if,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::Join": lambda self, a: a[0].join(self.resolve(a[1])),
    "Fn::Select": lambda self, a: self.resolve(a[1])[int(self.resolve(a[0]))],
    "Fn::Split": lambda self, a: str(self.resolve(a[1])).split(a[0]),
    "Fn::Equals": lambda self, a: str(self.resolve(a[0])) == str(self.resolve(a[1])),
    "Fn::Not": lambda self, a: not self.resolve(a[0]),
    "Fn::And": lambda self, a: all(self.resolve(item) for item in a),
    "Fn::Or": lambda self, a: any(self.resolve(item) for item in a),
}
