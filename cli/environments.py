"""The environments of commands: a small one for stacks on AWS, that of the local stack, and that of development.

``./darkroom`` starts every command in the small one, or in that of the local stack where only this exists. A command
that renders images or trains models continues in ``.venv``; one that runs the local stack continues there if it exists,
else with the packages that the stack needs, which are a third.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import IS_CHECKOUT, ROOT
from .errors import CommandError

COMMANDS = ROOT / ".local" / "venvs" / "commands"
STACK = ROOT / ".local" / "venvs" / "stack"
DEVELOPMENT = ROOT / ".venv"

NOTE = "Needs the packages of development: the first such command installs .venv (1.3 GB)."
STACK_NOTE = "Needs the packages of the local stack: the first start installs them (0.4 GB), unless .venv exists."


def enter_development() -> None:
    """Restart the process with the packages of development, if it runs in one of the small environments.

    Installs them if they are missing. Raises CommandError if they cannot be installed, or without a checkout.
    """
    _require_checkout()
    if Path(sys.prefix) in {COMMANDS, STACK}:
        _continue_in(DEVELOPMENT)


def enter_local_stack() -> None:
    """Restart the process with the packages of the local stack, as :func:`enter_development` does with its own."""
    _require_checkout()
    if Path(sys.prefix) == COMMANDS:
        _continue_in(DEVELOPMENT if _is_ready(DEVELOPMENT) else STACK)


def _require_checkout() -> None:
    if not IS_CHECKOUT:
        raise CommandError("This command needs a checkout of Darkroom, and is ./darkroom there.")


def _is_ready(environment: Path) -> bool:
    return (environment / ".ready").exists()


def _continue_in(environment: Path) -> None:
    if not _is_ready(environment) or environment == STACK:  # make installs that again if its requirements have changed
        _install(environment)
    python = environment / "bin" / "python"
    os.execv(python, [str(python), str(ROOT / "cli"), *sys.argv[1:]])  # noqa: S606


def _install(environment: Path) -> None:
    folder = environment.relative_to(ROOT)
    make = shutil.which("make")
    if make is None:
        raise CommandError(f"make is not installed, which installs {folder}")
    command = [make, "--no-print-directory", "--silent", "-C", str(ROOT), f"{folder}/.ready"]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:  # noqa: S603
        raise CommandError(f"{folder} could not be installed; the lines above have the reason")
