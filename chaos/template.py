"""Read queues, rules, index and functions from template.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from cli.template_values import Resolver, read_template

from .crash_points import ROOT

type Node = dict[str, Any]

_UNKNOWN = re.compile(r"<[^<>]+>")
"""What :class:`Resolver` has in place of a resource that does not exist."""


@cache
def _read_document() -> Node:
    return read_template(ROOT / "template.yaml")


class Template:
    """template.yaml with default parameters.

    ``references`` resolves ``!Ref`` and ``!GetAtt``, as ``Queue`` and ``Queue.Arn``; others are empty.
    """

    def __init__(self, references: Mapping[str, str], region: str) -> None:
        document = _read_document()
        declared = document["Parameters"].items()
        defaults = {name: str(one["Default"]) for name, one in declared if "Default" in one}
        self._resources = document["Resources"]
        self._resolver = Resolver(document, {**defaults, **references}, "darkroom", region, is_planned=True)

    def properties(self, logical_id: str) -> Node:
        """Return a resource's properties with their references resolved."""
        found = self._resolver.resolve(self._resources[logical_id]["Properties"])
        known: Node = json.loads(_UNKNOWN.sub("", json.dumps(found)))
        return known

    def environment(self, function: str) -> dict[str, str]:
        """Return a function's environment variables."""
        return {name: str(value) for name, value in self.properties(function)["Environment"]["Variables"].items()}
