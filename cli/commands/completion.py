"""Completion scripts of shells."""

from __future__ import annotations

import shlex

import click
from click.shell_completion import get_completion_class

from .. import IS_CHECKOUT, ROOT
from ..app import PROGRAM, app
from ..framework import Call, write

_CALLED = {
    "bash": "_COMPLETE=bash_complete $1)",
    "zsh": f"_COMPLETE=zsh_complete {PROGRAM})",
    "fish": f"COMP_CWORD=(commandline -t) {PROGRAM})",
}
"""Where the scripts of click call the program, which has to be found by its name there."""

_ZSH_SEARCH = f"    (( ! $+commands[{PROGRAM}] )) && return 1\n"
"""Where zsh gives up unless it is."""

SHELLS = tuple(_CALLED)


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

    It completes `darkroom` and `./darkroom`, and calls the program by its full path in a checkout. For bash, add
    eval "$(./darkroom completion bash)" to ~/.bashrc, with the full path of darkroom.
    """
    found = get_completion_class(shell)
    assert found is not None
    script = found(app, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source().replace(_ZSH_SEARCH, "")
    before, called, after = script.partition(_CALLED[shell])
    assert called
    program = shlex.quote(str(ROOT / PROGRAM)) if IS_CHECKOUT else PROGRAM
    write(f"{before}{called.rpartition(' ')[0]} {program}){after}")
