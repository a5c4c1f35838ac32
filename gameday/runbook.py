"""Runbooks as they are followed: their own commands, word for word but for what they say to fill in."""

from __future__ import annotations

from collections.abc import Mapping

from local.aws import tool_environment
from local.paths import ROOT
from tools import runbooks
from tools.local_stack import environment

from .environment import Environment
from .wait_for import WaitTimeout


def find_block(name: str, word: str) -> str:
    """The first block of a runbook, after the one that defines things, in which ``word`` is. Raises NotSo."""
    for found in runbooks.commands(name)[1:]:
        if word in found:
            return found
    raise WaitTimeout(f"the runbook {name} has no commands with {word!r}")


def run_runbook(world: Environment, name: str, *words: str, filled: Mapping[str, str] | None = None) -> str:
    """Run the first commands of a runbook and those blocks that have ``words``; what they print.

    ``filled`` are lines of them, and what is written instead. Raises NotSo if a line is not there or a command fails.
    """
    script = "\n".join([runbooks.commands(name)[0], *(find_block(name, word) for word in words)])
    for line, instead in (filled or {}).items():
        if line not in script:
            raise WaitTimeout(f"the runbook {name} has no {line!r}")
        script = script.replace(line, instead)
    there = tool_environment(world.facts["aws_endpoint_url"]) | environment(world.facts)
    done = runbooks.run([script], there, folder=ROOT, by="gameday")
    if done.returncode:
        raise WaitTimeout(f"a command of the runbook {name} failed: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout
