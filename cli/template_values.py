"""Values in a CloudFormation template: intrinsic functions resolved for parameters and names of resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

LOCAL_ACCOUNT = "000000000000"
"""The account of MiniStack."""


class NotResolvable(Exception):
    """An intrinsic function or a reference whose value is not known."""


NO_VALUE = object()
"""Result of a reference to ``AWS::NoValue``: the property is not set."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads short forms of intrinsic functions as the long ones; by libyaml, ten times faster, where PyYAML has it."""


def _construct(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if name == "Fn::GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _construct)


def read_template(path: Path) -> dict[str, Any]:
    """Read a template, with intrinsic functions in their long form."""
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    return document


class Resolver:
    """Resolves ``values``: parameters as text, physical ids of resources, and outputs of nested stacks.

    With ``is_planned`` nothing is deployed yet: a reference to a resource is its logical id in angle brackets.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        values: Mapping[str, str],
        stack_name: str,
        region: str,
        *,
        account: str = LOCAL_ACCOUNT,
        is_planned: bool = False,
    ) -> None:
        self.given = dict(values)
        self._region, self._account, self._is_planned = region, account, is_planned
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._resources: Mapping[str, Any] = template.get("Resources", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})
        declared = template.get("Parameters", {})
        lists = {name for name in values if declared.get(name, {}).get("Type") == "CommaDelimitedList"}
        split = {name: value.split(",") if name in lists else value for name, value in values.items()}
        pseudo = {
            "AWS::StackName": stack_name,
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/{stack_name}/0",
            "AWS::Region": region,
            "AWS::AccountId": account,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._values: dict[str, Any] = {**pseudo, **split}

    def resolve(self, node: Any) -> Any:
        """Return ``node`` without intrinsic functions. Raises NotResolvable."""
        match node:
            case list():
                return [value for item in node if (value := self.resolve(item)) is not NO_VALUE]
            case {"Condition": str(name)} if len(node) == 1:
                return self.holds(name)
            case dict() if len(node) == 1 and ((name := next(iter(node))) == "Ref" or name.startswith("Fn::")):
                if name not in _FUNCTIONS:
                    raise NotResolvable(name)
                return _FUNCTIONS[name](self, node[name])
            case dict():
                return {key: value for key, item in node.items() if (value := self.resolve(item)) is not NO_VALUE}
        return node

    def holds(self, condition: str | None) -> bool:
        """Return whether a condition of the template is true; None is always true. Raises NotResolvable."""
        return condition is None or bool(self.resolve(self._conditions[condition]))

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name not in self._values:
            if self._is_planned:
                return f"<{name}>"
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
            if self._is_planned:
                return f"<{path}>"
            raise NotResolvable(f"GetAtt {name}.{attribute}")
        where = f"{self._region}:{self._account}"
        return _ATTRIBUTES[kind, attribute](str(self._ref(name)), where)

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

    def _select(self, argument: list[Any]) -> Any:
        index, found = int(self.resolve(argument[0])), self.resolve(argument[1])
        if self._is_planned and (not isinstance(found, list) or index >= len(found)):
            return f"<{index} of {found}>"  # a part of an identifier that is not known yet
        return found[index]

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self.resolve(part) for part in argument)
        return self._mappings[name][first][second]


_IN_BRACES = re.compile(r"\$\{([^}]+)\}")

_ATTRIBUTES: Mapping[tuple[str, str], Callable[[str, str], str]] = {
    ("AWS::SQS::Queue", "QueueName"): lambda url, _: url.rpartition("/")[2],
    ("AWS::SQS::Queue", "Arn"): lambda url, where: f"arn:aws:sqs:{where}:{url.rpartition('/')[2]}",
    ("AWS::S3::Bucket", "Arn"): lambda name, _: f"arn:aws:s3:::{name}",
    ("AWS::Lambda::Function", "Arn"): lambda name, where: f"arn:aws:lambda:{where}:function:{name}",
    ("AWS::CloudWatch::Alarm", "Arn"): lambda name, where: f"arn:aws:cloudwatch:{where}:alarm:{name}",
    ("AWS::CloudWatch::CompositeAlarm", "Arn"): lambda name, where: f"arn:aws:cloudwatch:{where}:alarm:{name}",
}
"""Computed from the value of ``Ref``, and from region and account, by resource type."""

_FUNCTIONS: Mapping[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver._ref,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::Sub": Resolver._sub,
    "Fn::If": Resolver._if,
    "Fn::FindInMap": Resolver._find_in_map,
    "Fn::Join": lambda self, a: a[0].join(self.resolve(a[1])),
    "Fn::Select": Resolver._select,
    "Fn::Split": lambda self, a: str(self.resolve(a[1])).split(a[0]),
    "Fn::Equals": lambda self, a: str(self.resolve(a[0])) == str(self.resolve(a[1])),
    "Fn::Not": lambda self, a: not self.resolve(a[0]),
    "Fn::And": lambda self, a: all(self.resolve(item) for item in a),
    "Fn::Or": lambda self, a: any(self.resolve(item) for item in a),
    "Fn::Contains": lambda self, a: self.resolve(a[1]) in self.resolve(a[0]),
    "Fn::EachMemberIn": lambda self, a: set(self.resolve(a[0])) <= set(self.resolve(a[1])),
}
