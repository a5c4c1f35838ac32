"""The command that prints and runs the commands of runbooks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from .. import ROOT
from ..app import app
from ..errors import CommandError, NotFound, WrongArgument
from ..framework import STACK, Call, ask

if TYPE_CHECKING:
    from cli.runbooks import StackCommands


@app.command(
    output={
        "name": "of the runbook",
        "text": "the page, with the commands and names of the stack",
        "blocks": "its command blocks, the first of which defines what the others use",
        "names": "without NAME: the names of all runbooks",
    },
    examples=(
        "darkroom runbook",
        "darkroom runbook data-request --set key=trips/rome.jpg",
    ),
)
@click.argument("name", required=False)
@click.option(
    "--run", "numbers", type=click.IntRange(min=1), multiple=True, metavar="N", help="Run block N; repeatable."
)
@click.option(
    "--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Value of a variable, such as key=a.jpg."
)
@click.option("--yes", is_flag=True, help="Do not ask before the blocks are run.")
def runbook(call: Call, name: str | None, numbers: tuple[int, ...], assignments: tuple[str, ...], yes: bool) -> None:
    """Print the runbook NAME with its commands for the stack, or run blocks of them.

    Without NAME it lists the runbooks. Blocks are numbered from 1; the first one defines what the others use, and runs
    before them. The command shows what it runs, and asks. The exit code is 1 if a block failed.
    """
    from cli import runbooks

    if not name:
        call.emit({"names": runbooks.list_runbooks()}, runbooks.list_runbooks())
        return
    try:
        page = runbooks.write_for(name_stack(call), runbooks.read_runbook(name))
        page = runbooks.set_values(page, _parse(assignments))
    except LookupError as error:
        raise NotFound(str(error.args[0])) from error
    blocks = runbooks.list_blocks(page)
    if numbers:
        _run(call, blocks, numbers, yes=yes)
        return
    call.emit({"name": name, "text": page, "blocks": blocks}, _number_blocks(page).splitlines())


def name_stack(call: Call) -> StackCommands:
    """Name the stack in commands."""
    from cli.runbooks import name_aws_stack, name_local_stack

    chosen = call.selection
    if chosen.on_aws:
        return name_aws_stack(chosen.stack or STACK, region=chosen.region, profile=chosen.profile)
    return name_local_stack(call.deployment.info, chosen.state)


def _parse(assignments: tuple[str, ...]) -> Mapping[str, str]:
    if wrong := [one for one in assignments if "=" not in one]:
        raise WrongArgument(f"--set needs NAME=VALUE, not {wrong[0]!r}.")
    return dict(one.split("=", 1) for one in assignments)


def _number_blocks(page: str) -> str:
    parts = page.split("\n```sh\n")
    numbered = (f"\n```sh\n# Block {number}\n{part}" for number, part in enumerate(parts[1:], 1))
    return parts[0] + "".join(numbered)


def _run(call: Call, blocks: list[str], numbers: tuple[int, ...], *, yes: bool) -> None:
    from cli import runbooks

    if wrong := [number for number in numbers if number > len(blocks)]:
        raise NotFound(f"There is no block {wrong[0]}: the runbook has {len(blocks)}.")
    chosen = [blocks[number - 1] for number in dict.fromkeys((1, *numbers))]
    call.note("\n".join(chosen).rstrip())
    if not yes:
        ask("Run these commands?")
    if runbooks.run(chosen, os.environ, folder=ROOT, captured=False).returncode:
        raise CommandError("A command of the runbook failed; those after it were not run.")
