"""Run the commands of runbooks as they are written for the stack, except for placeholders."""

from __future__ import annotations

from collections.abc import Mapping

from cli import runbooks
from local.aws import tool_environment
from local.paths import ROOT

from .environment import Environment
from .wait_for import WaitTimeout

_NO_ACCOUNT = "http://127.0.0.1:9"
"""The address to which commands go that do not name the stack: the discard port, where nothing listens."""


def find_block(name: str, text: str) -> str:
    """Return a runbook's first block that contains ``text``, after the block of definitions. Raises WaitTimeout."""
    for found in _list_blocks(name)[1:]:
        if text in found:
            return found
    raise WaitTimeout(f"the runbook {name} has no commands with {text!r}")


def _list_blocks(name: str) -> list[str]:
    return runbooks.list_blocks(runbooks.read_runbook(name))


def run_runbook(environment: Environment, name: str, *texts: str, replacements: Mapping[str, str] | None = None) -> str:
    """Run a runbook's first block and the blocks that contain ``texts``. Return their output.

    ``replacements`` maps texts of the commands to their replacements. Raises WaitTimeout if one is missing or a command
    fails.
    """
    script = "\n".join([_list_blocks(name)[0], *(find_block(name, text) for text in texts)])
    for line, instead in (replacements or {}).items():
        if line not in script:
            raise WaitTimeout(f"the runbook {name} has no {line!r}")
        script = script.replace(line, instead)
    script = runbooks.write_for(runbooks.name_local_stack(environment.info, environment.state), script)
    done = runbooks.run([script], tool_environment(_NO_ACCOUNT), folder=ROOT, by="gameday")
    if done.returncode:
        raise WaitTimeout(f"a command of the runbook {name} failed: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout
