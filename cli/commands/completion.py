"""Completion scripts of shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..app import PROGRAM, app
from ..framework import Call, write

SHELLS = ("bash", "zsh", "fish")


@app.command(
    on_stack=False,
    examples=(
        "darkroom completion bash > ~/.local/share/bash-completion/completions/darkroom",
        "darkroom completion fish | source",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(call: Call, shell: str) -> None:  # noqa: ARG001, as every command
    """Print the completion script of SHELL.

    For bash: eval "$(./darkroom completion bash)", also in ~/.bashrc. It completes `darkroom` and `./darkroom`.
    """
    found = get_completion_class(shell)
    assert found is not None
    write(found(app, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source())
