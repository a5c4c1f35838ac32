"""Commands about documents: parameters of their stack."""

from __future__ import annotations

from ..app import app
from ..framework import Call
from ..own_stacks import PARAMETERS, print_parameters


@app.group()
def documents() -> None:
    """Deploy the function that renders PDF documents (docs/guides/documents.md)."""


@documents.command("parameters", output=PARAMETERS)
def documents_parameters(call: Call) -> None:
    """Print the parameters of stacks/documents.yaml for this stack, for `sam deploy --parameter-overrides`."""
    from tools.stack_parameters import build_documents_parameters

    print_parameters(call, build_documents_parameters)
