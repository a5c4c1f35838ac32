"""Install packages of npm from a lock file into a cached folder."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..build_cache import build_once
from ..machine import architecture
from ..paths import WORK
from .model import MissingCompetitor

LOCKED = ("package.json", "package-lock.json")


def install(name: str, peer: str, files: Sequence[Path], then: Sequence[Sequence[str]] = ()) -> tuple[str, Path]:
    """Return Node and the folder ``name`` with copies of ``files`` and the packages of their package-lock.json.

    ``then`` are commands to run in it. Raises MissingCompetitor, whose message names ``peer``.
    """
    runtime, npm = shutil.which("node"), shutil.which("npm")
    if runtime is None or npm is None:
        raise MissingCompetitor(f"{peer}: Node and npm are not installed")

    def make(folder: Path) -> None:
        for file in files:
            shutil.copy(file, folder)
        try:
            for command in ([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], *then):
                subprocess.run(command, cwd=folder, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise MissingCompetitor(f"{peer}: npm could not install it ({error})") from error

    return runtime, build_once(WORK / name, files, make, architecture(), repr(then))
