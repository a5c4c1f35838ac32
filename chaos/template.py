"""Read queues, rules, index and functions from template.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from .crash_points import ROOT

type Node = dict[str, Any]


@cache
def _document() -> Node:
    """Parse template.yaml once: it takes seconds, and each worker needs it."""
    document: Node = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    return document


class Template:
    """template.yaml with default parameters and without conditional parts.

    ``references`` resolves ``!Ref`` and ``!GetAtt``, as ``Queue`` and ``Queue.Arn``; others are empty.
    """

    def __init__(self, references: Mapping[str, str]) -> None:
        self._references = references

    def properties(self, logical_id: str) -> Node:
        """Return a resource's properties with their references resolved."""
        found: Node = self._value(_document()["Resources"][logical_id]["Properties"])
        return found

    def environment(self, function: str) -> dict[str, str]:
        """Return a function's environment variables."""
        return {name: str(value) for name, value in self.properties(function)["Environment"]["Variables"].items()}

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._value(part) for part in node]
        if not isinstance(node, dict):
            return node
        [name] = node if len(node) == 1 else [""]
        if name in self._functions:
            return self._functions[name](self, node[name])
        return {name: self._value(part) for name, part in node.items()}

    def _reference(self, name: str) -> Any:
        return self._references.get(name, _document()["Parameters"].get(name, {}).get("Default", ""))

    def _attribute(self, path: Any) -> Any:
        return self._reference(".".join(path) if isinstance(path, list) else path)

    def _choice(self, argument: list[Any]) -> Any:
        return self._value(argument[2])

    def _mapped(self, argument: list[Any]) -> Any:
        name, first, second = argument
        return _document()["Mappings"][name][str(self._value(first))][second]

    def _filled_in(self, argument: str | list[Any]) -> str:
        text, named = (argument, {}) if isinstance(argument, str) else argument
        values = {name: self._value(value) for name, value in named.items()}
        return re.sub(
            r"\$\{([^!}]+)\}",
            lambda found: str(values[found[1]] if found[1] in values else self._reference(found[1])),
            text,
        )

    def _joined(self, argument: list[Any]) -> str:
        separator, parts = argument
        return str(separator).join(map(str, self._value(parts)))

    _functions: Mapping[str, Callable[[Template, Any], Any]] = {
        "Ref": _reference,
        "Fn::GetAtt": _attribute,
        "Fn::If": _choice,
        "Fn::FindInMap": _mapped,
        "Fn::Sub": _filled_in,
        "Fn::Join": _joined,
    }
