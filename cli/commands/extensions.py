"""Commands about extensions: their list, and the parameters of their stacks."""

from __future__ import annotations

import shlex

import click

from extensions import find_extension, list_extensions

from ..app import app
from ..framework import Call
from ..terminal import Table

FLAGS = [one.flag for one in list_extensions()]


@app.command(
    output={"extensions": "per extension its `name`, `summary`, `guide` and `template`"},
    examples=("darkroom extensions",),
)
def extensions(call: Call) -> None:
    """List the extensions, which are deployed beside the stack (docs/howto/extension.md)."""
    found = list_extensions()
    rows = [
        {"name": one.flag, "summary": one.summary, "guide": one.guide, "template": f"extensions/{one.name}/stack.yaml"}
        for one in found
    ]
    width = max((len(one.flag) for one in found), default=0)
    plain = [f"{one.flag:{width}}  {one.summary}" for one in found]
    call.emit({"extensions": rows}, [Table(("name", "summary"), [(one.flag, one.summary) for one in found], plain)])


@app.command(
    output={"parameters": "values by the name of the parameter"},
    examples=tuple(f"darkroom parameters {flag} --stack shop --region eu-central-1" for flag in FLAGS[:1]),
)
@click.argument("extension", type=click.Choice(FLAGS))
def parameters(call: Call, extension: str) -> None:
    """Print the parameters of EXTENSION's stack that describe this one, for `sam deploy --parameter-overrides`."""
    from cli.stack_parameters import FirstStack, build_parameters

    deployment = call.deployment
    first = FirstStack(deployment.name, deployment.outputs, deployment.parameters, deployment.cdn_url)
    try:
        found = build_parameters(find_extension(extension).template, first)
    except KeyError as missing:
        deployment.output(str(missing.args[0]))  # raises MissingOutput, which names the parameter
        raise
    call.emit({"parameters": found}, (shlex.quote(f"{name}={value}") for name, value in found.items() if value))
