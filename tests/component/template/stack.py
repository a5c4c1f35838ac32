"""Resolve the template as CloudFormation does: transformed by SAM, with conditions and parameters filled in."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from extensions import list_templates

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"

TEMPLATES = [TEMPLATE, *sorted((ROOT / "stacks").glob("*.yaml")), *list_templates()]
"""The root template, those in stacks/, of which some are nested in it, and those of extensions."""

type Node = dict[str, Any]

PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/stack/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
OPTIONAL_PARTS = dict.fromkeys(("UrgentUploads", "LargeImages", "ContentCredentials", "BulkJobs", "Refine"), "on") | {
    "SimilarityStore": "table"
}
"""Parameters of parts that a default deployment lacks."""

NOTHING = object()
_CODE = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Serverless::Function": "CodeUri"}
_NESTED, _PACKAGES = "AWS::CloudFormation::Stack", "https://s3.amazonaws.com/packages/"


def name_template(path: Path) -> str:
    """The path of a template in the repository, which identifies it in tests."""
    return str(path.relative_to(ROOT))


@functools.cache
def _parsed(path: Path) -> Node:
    return yaml_parse(path.read_text(encoding="utf-8"))


def template(path: Path = TEMPLATE) -> Node:
    """The template as it is written, with intrinsic functions in their long form."""
    return deepcopy(_parsed(path))


def nested_templates() -> dict[str, Path]:
    """The templates of nested stacks, by the logical ids of those in template.yaml."""
    return {
        logical_id: ROOT / resource["Properties"]["Location"]
        for logical_id, resource in template()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Application"
    }


def transformed(
    code: Mapping[str, str] | None = None, parameters: Mapping[str, str] | None = None, path: Path = TEMPLATE
) -> Node:
    """The template after SAM, not to be changed. ``code`` names the objects of ``sam package``, by logical id."""
    return _transformed(tuple(sorted((code or {}).items())), tuple(sorted((parameters or {}).items())), path)


@functools.lru_cache(maxsize=64)
def _transformed(code: tuple[tuple[str, str], ...], parameters: tuple[tuple[str, str], ...], path: Path) -> Node:
    """Translate once for all tests: most of them read the same few deployments, and SAM takes long."""
    document, objects = template(path), dict(code)
    for logical_id, resource in document["Resources"].items():
        if field := _CODE.get(resource["Type"]):
            resource["Properties"][field] = f"s3://packages/{objects.get(logical_id, 'code')}"
        if resource["Type"] == "AWS::Serverless::Application":
            resource["Properties"]["Location"] = _PACKAGES + resource["Properties"]["Location"]
        if resource["Type"] == "AWS::Serverless::StateMachine":
            resource["Properties"]["DefinitionUri"] = f"s3://packages/{resource['Properties']['DefinitionUri']}"
    return Translator({}, Parser()).translate(document, dict(parameters))


class Stack:
    """The resources of one deployment, with those of nested stacks, whose logical ids are their own.

    A reference to a resource reads ``<LogicalId>`` or ``<LogicalId.Attribute>``. A stack of template.yaml has its
    :data:`OPTIONAL_PARTS` unless ``parameters`` turn them off.
    """

    def __init__(self, path: Path = TEMPLATE, /, **parameters: str) -> None:
        if path == TEMPLATE:
            parameters = OPTIONAL_PARTS | parameters
        self.parameters: Mapping[str, str] = parameters
        self.document = transformed(parameters=parameters, path=path)
        self._nested: dict[str, Stack] = {}
        self.values: dict[str, Any] = {
            name: self._typed(declared["Type"], parameters.get(name, declared.get("Default")))
            for name, declared in self.document.get("Parameters", {}).items()
        }
        self.conditions: dict[str, bool] = {}
        for name, condition in self.document.get("Conditions", {}).items():
            self.conditions[name] = self._value(condition)
        self.resources: dict[str, Node] = {
            logical_id: self._value(resource)
            for logical_id, resource in self.document["Resources"].items()
            if self.conditions.get(resource.get("Condition", ""), True)
        }
        for logical_id in [name for name, resource in self.resources.items() if resource["Type"] == _NESTED]:
            self.resources |= self.nested(logical_id).resources
        self.outputs: dict[str, str] = {
            name: self._value(output["Value"])
            for name, output in self.document.get("Outputs", {}).items()
            if self.conditions.get(output.get("Condition", ""), True)
        }

    def nested(self, logical_id: str) -> Stack:
        """A nested stack of this deployment."""
        if logical_id not in self._nested:
            properties = self._value(self.document["Resources"][logical_id]["Properties"])
            location = ROOT / properties["TemplateURL"].removeprefix(_PACKAGES)
            self._nested[logical_id] = Stack(location, **properties["Parameters"])
        return self._nested[logical_id]

    def properties(self, logical_id: str) -> Node:
        return self.resources[logical_id].get("Properties", {})

    def state_machine(self, logical_id: str) -> Node:
        """The definition of a state machine, with its substitutions filled in."""
        properties = self.properties(logical_id)
        text = (ROOT / properties["DefinitionS3Location"]["Key"]).read_text(encoding="utf-8")
        for name, value in properties["DefinitionSubstitutions"].items():
            text = text.replace(f"${{{name}}}", value)
        definition: Node = json.loads(text)
        return definition

    def variables(self, function: str) -> dict[str, str]:
        """The environment variables of a function."""
        return dict(self.properties(function)["Environment"]["Variables"])

    def of_type(self, kind: str) -> dict[str, Node]:
        return {k: v.get("Properties", {}) for k, v in self.resources.items() if v["Type"] == kind}

    @staticmethod
    def _typed(kind: str, value: Any) -> Any:
        return str(value).split(",") if kind == "CommaDelimitedList" else str(value)

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for item in node if (value := self._value(item)) is not NOTHING]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            if name in self._functions:
                return self._functions[name](self, argument)
        return {key: value for key, item in node.items() if (value := self._value(item)) is not NOTHING}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        return self.values.get(name, PSEUDO.get(name, f"<{name}>"))

    def _get_att(self, argument: Any) -> str:
        name, _, attribute = (".".join(argument) if isinstance(argument, list) else argument).partition(".")
        if attribute.startswith("Outputs."):
            return self.nested(name).outputs[attribute.removeprefix("Outputs.")]
        return f"<{name}.{attribute}>"

    def _sub(self, argument: Any) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})
        local = {name: self._value(value) for name, value in names.items()}

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            return str(local[name] if name in local else self._get_att(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^!}]+)\}", fill, text)

    def _if(self, argument: list[Any]) -> Any:
        condition, yes, no = argument
        return self._value(yes if self.conditions[condition] else no)

    def _split(self, argument: list[Any]) -> Any:
        """The parts of a text, but of a reference to a resource itself: its value is not known yet."""
        text = self._value(argument[1])
        return text if str(text).startswith("<") else str(text).split(argument[0])

    def _select(self, argument: list[Any]) -> Any:
        found = self._value(argument[1])
        return found[argument[0]] if isinstance(found, list) else f"<{argument[0]} of {found}>"

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = (self._value(part) for part in argument)
        return self.document["Mappings"][name][first][second]

    _functions: Mapping[str, Callable[[Stack, Any], Any]] = {
        "Ref": _ref,
        "Condition": lambda self, a: self.conditions[a],
        "Fn::GetAtt": _get_att,
        "Fn::Sub": _sub,
        "Fn::If": _if,
        "Fn::FindInMap": _find_in_map,
        "Fn::Join": lambda self, a: a[0].join(self._value(a[1])),
        "Fn::Split": _split,
        "Fn::Select": _select,
        "Fn::Equals": lambda self, a: str(self._value(a[0])) == str(self._value(a[1])),
        "Fn::Not": lambda self, a: not self._value(a[0]),
        "Fn::And": lambda self, a: all(self._value(item) for item in a),
        "Fn::Or": lambda self, a: any(self._value(item) for item in a),
        "Fn::Contains": lambda self, a: self._value(a[1]) in self._value(a[0]),
        "Fn::EachMemberIn": lambda self, a: set(self._value(a[0])) <= set(self._value(a[1])),
    }


def broken_rules(region: str = PSEUDO["AWS::Region"], **parameters: str) -> set[str]:
    """Evaluate the template's rules for these parameters; CloudFormation refuses a stack that breaks one."""
    stack = _stack_for_rules(tuple(sorted(parameters.items())))

    def holds(node: Any) -> bool:
        return bool(stack._value(_in_region(node, region)))

    return {
        assertion["AssertDescription"]
        for rule in template()["Rules"].values()
        if "RuleCondition" not in rule or holds(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not holds(assertion["Assert"])
    }


@functools.lru_cache(maxsize=4)  # the transformation takes most of a second, and rules are evaluated for many regions
def _stack_for_rules(parameters: tuple[tuple[str, str], ...]) -> Stack:
    return Stack(**dict(parameters))


def _in_region(node: Any, region: str) -> Any:
    if isinstance(node, list):
        return [_in_region(item, region) for item in node]
    if isinstance(node, Mapping):
        is_region = node == {"Ref": "AWS::Region"}
        return region if is_region else {key: _in_region(item, region) for key, item in node.items()}
    return node


def references(node: Any) -> Iterator[str]:
    """Every name that ``node`` refers to: parameters, conditions, resources and pseudo parameters."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, Mapping):
        for key, item in node.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0] if isinstance(item, list) else item.split(".")[0]
            elif key == "Fn::Sub":
                text, names = item if isinstance(item, list) else (item, {})
                yield from (m[1].split(".")[0] for m in re.finditer(r"\$\{([^!}]+)\}", text) if m[1] not in names)
                yield from references(names)
            elif key == "Fn::If":
                yield item[0]
                yield from references(item[1:])
            elif key in ("Condition", "DependsOn"):
                yield from [item] if isinstance(item, str) else item if isinstance(item, list) else references(item)
            else:
                yield from references(item)
