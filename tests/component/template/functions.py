"""The functions of template.yaml, for tests that examine each of them: one that is added is examined without a list."""

from __future__ import annotations

import functools
import re

from .stack import ROOT, Stack, template

FUNCTIONS = tuple(
    sorted(
        resource["Properties"]["CodeUri"].removeprefix("functions/")
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    )
)
"""Their folders in functions/, which are also their names in logs and metrics."""


@functools.cache
def full_stack() -> Stack:
    """A deployment whose conditions include every function."""
    return Stack(InferenceMode="lambda", AccessLogDays="1", Dialects="on")


def id_of(function: str) -> str:
    """The logical id of a function."""
    return f"{function.capitalize()}Function"


def layers_of(function: str) -> list[str]:
    """The logical ids of its layers; that of a version ends with a hash of the content."""
    return [
        re.sub("[0-9a-f]{10}>$", "", name.removeprefix("<"))
        for name in full_stack().properties(id_of(function))["Layers"]
    ]


def source_of(function: str) -> str:
    """The text of its handler's module."""
    return (ROOT / "functions" / function / "app.py").read_text(encoding="utf-8")
