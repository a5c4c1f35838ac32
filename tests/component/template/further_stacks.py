"""The stacks beside that of template.yaml, with the parameters that a deployment passes."""

from __future__ import annotations

from collections.abc import Mapping

from cli.stack_parameters import FirstStack, build_parameters
from extensions import find_template, list_extensions

FURTHER = tuple(one.flag for one in list_extensions())
"""Names of the further stacks."""


def build_further(name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of the stack ``name`` beside a deployed one with these outputs and parameters."""
    first = FirstStack("darkroom", outputs, parameters, "https://images.example.com")
    return build_parameters(find_template(name), first)
