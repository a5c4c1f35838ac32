"""The deployed template with its parameters filled in, read back from CloudFormation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .aws import Cloud
from .place import STACK


@dataclass(frozen=True, slots=True)
class Resource:
    """A deployed resource. ``properties`` are resolved when they are read, one by one, by ``property``."""

    logical_id: str
    physical_id: str
    kind: str
    _properties: Mapping[str, Any]
    _resolve: Callable[[Any], Any]

    def property(self, name: str) -> Any:
        """The value of a property, None if it is not set. Raises NotResolvable."""
        value = self._resolve(self._properties.get(name))
        return None if value is _NOTHING else value


class NotResolvable(Exception):
    """An intrinsic function that is not understood here."""


_NOTHING = object()


def resources(cloud: Cloud) -> Iterator[Resource]:
    """Every resource of the stack."""
    found = cloud.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    template, resolver = deployed_template(cloud, ids)
    for one in found:
        declared = template["Resources"][one["LogicalResourceId"]].get("Properties", {})
        yield Resource(
            one["LogicalResourceId"], one["PhysicalResourceId"], one["ResourceType"], declared, resolver.resolve
        )


def deployed_template(cloud: Cloud, ids: Mapping[str, str]) -> tuple[Any, Resolver]:
    """The template with all that its conditions leave out, and what fills in its parameters and ``ids``."""
    template: Any = cloud.cloudformation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    stack = cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    given = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])}
    return template, Resolver(template, {**given, **ids})


class Resolver:
    """Fills in ``values``: those of parameters as texts, and the physical ids of resources."""

    def __init__(self, template: Mapping[str, Any], values: Mapping[str, str]) -> None:
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        declared = template.get("Parameters", {})
        lists = {name for name in values if declared.get(name, {}).get("Type") == "CommaDelimitedList"}
        self._values = {name: value.split(",") if name in lists else value for name, value in values.items()}

    def resolve(self, node: Any) -> Any:
        """``node`` without intrinsic functions. Raises NotResolvable."""
        match node:
            case list():
                return [value for item in node if (value := self.resolve(item)) is not _NOTHING]
            case dict() if len(node) == 1 and ((name := next(iter(node))) == "Ref" or name.startswith("Fn::")):
                if name not in _FUNCTIONS:
                    raise NotResolvable(name)
                return _FUNCTIONS[name](self, node[name])
            case dict():
                return {key: value for key, item in node.items() if (value := self.resolve(item)) is not _NOTHING}
        return node

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name not in self._values:
            raise NotResolvable(f"Ref {name}")
        return self._values[name]

    def _if(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return self.resolve(yes if self.resolve(self._conditions[condition]) else no)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self.resolve(part) for part in argument)
        return self._mappings[name][first][second]


_FUNCTIONS: Mapping[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver._ref,
    "Fn::If": Resolver._if,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::Join": lambda self, a: a[0].join(self.resolve(a[1])),
    "Fn::Equals": lambda self, a: str(self.resolve(a[0])) == str(self.resolve(a[1])),
    "Fn::Not": lambda self, a: not self.resolve(a[0]),
    "Fn::And": lambda self, a: all(self.resolve(item) for item in a),
    "Fn::Or": lambda self, a: any(self.resolve(item) for item in a),
}
