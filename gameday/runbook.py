"""Run the commands of runbooks as written, except for placeholders."""

from __future__ import annotations

from collections.abc import Mapping

from local.paths import ROOT
from tools import runbooks

from .environment import Environment
from .wait_for import WaitTimeout


def find_block(name: str, text: str) -> str:
    """Return a runbook's first block that contains ``text``, after the block of definitions. Raises WaitTimeout."""
    for found in runbooks.commands(name)[1:]:
        if text in found:
            return found
    raise WaitTimeout(f"the runbook {name} has no commands with {text!r}")


def run_runbook(environment: Environment, name: str, *texts: str, replacements: Mapping[str, str] | None = None) -> str:
    """Run a runbook's first block and the blocks that contain ``texts``. Return their output.

    ``replacements`` maps texts of the commands to their replacements. Raises WaitTimeout if one is missing or a command
    fails.
    """
    script = "\n".join([runbooks.commands(name)[0], *(find_block(name, text) for text in texts)])
    for line, instead in (replacements or {}).items():
        if line not in script:
            raise WaitTimeout(f"the runbook {name} has no {line!r}")
        script = script.replace(line, instead)
    done = runbooks.run([script], environment.variables, folder=ROOT, by="gameday")
    if done.returncode:
        raise WaitTimeout(f"a command of the runbook {name} failed: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout
