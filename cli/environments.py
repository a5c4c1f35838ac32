"""The environments of commands: a small one for stacks on AWS, and that of development.

``./darkroom`` starts every command in the small one. A command that renders images, trains models or runs the local
stack continues in ``.venv``.
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
DEVELOPMENT = ROOT / ".venv"

NOTE = "Needs the packages of development: the first such command installs .venv (1.3 GB)."


def enter_development() -> None:
    """Restart the process with the packages of development, if it runs in the small environment.

    Installs them if they are missing. Raises CommandError if they cannot be installed, or without a checkout.
    """
    if not IS_CHECKOUT:
        raise CommandError("This command needs a checkout of Darkroom, and is ./darkroom there.")
    if Path(sys.prefix) != COMMANDS:
        return
    if not (DEVELOPMENT / ".ready").exists():
        _install()
    python = DEVELOPMENT / "bin" / "python"
    os.execv(python, [str(python), str(ROOT / "cli"), *sys.argv[1:]])  # noqa: S606


def _install() -> None:
    make = shutil.which("make")
    if make is None:
        raise CommandError("make is not installed, which installs .venv")
    command = [make, "--no-print-directory", "--silent", "-C", str(ROOT), ".venv/.ready"]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:  # noqa: S603
        raise CommandError(".venv could not be installed; the lines above have the reason")
