"""What commands about the stacks beside the first one have in common."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .framework import Call

if TYPE_CHECKING:
    from tools.stack_parameters import BuildParameters

PARAMETERS = {"parameters": "values by the name of the parameter"}
"""Output of a command that prints parameters."""


def print_parameters(call: Call, build: BuildParameters) -> None:
    """Print what ``build`` returns for the deployment, as words for a shell, without empty ones."""
    deployment = call.deployment
    found = dict(build(deployment.name, deployment.outputs, deployment.parameters))
    call.emit({"parameters": found}, (shlex.quote(f"{name}={value}") for name, value in found.items() if value))
