"""Commands about documents: parameters of their stack."""

from __future__ import annotations

import shlex

from ..app import app
from ..framework import Call


@app.group()
def documents() -> None:
    """Deploy the function that renders PDF documents (docs/guides/documents.md)."""


@documents.command("parameters", output={"parameters": "values by the name of the parameter"})
def documents_parameters(call: Call) -> None:
    """Print the parameters of stacks/documents.yaml for this stack, for `sam deploy --parameter-overrides`."""
    from tools.stack_parameters import build_documents_parameters

    deployment = call.deployment
    found = build_documents_parameters(deployment.name, deployment.outputs, deployment.parameters)
    call.emit({"parameters": found}, (shlex.quote(f"{name}={value}") for name, value in found.items() if value))
