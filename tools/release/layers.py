"""Layers, built as ``sam build`` builds them, by their makefile alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class BuildError(Exception):
    """A layer could not be built. The message ends with the last lines of its makefile."""


def build_layer(logical_id: str, arch: str, source: Path, artifacts: Path) -> None:
    """Build the layer in the folder ``source`` for ``arch`` into the folder ``artifacts``. Raises BuildError.

    It is built from a copy, while the machine around it has bytecode switched off.
    """
    scratch = artifacts.with_suffix(".source")
    shutil.copytree(source, scratch, symlinks=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603
        ["make", "--makefile", str(source / "Makefile"), f"build-{logical_id}"],  # noqa: S607
        cwd=scratch,
        env=os.environ | {"ARCH": arch, "ARTIFACTS_DIR": str(artifacts), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    shutil.rmtree(scratch)
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-15:])
        raise BuildError(f"{logical_id} for {arch}: make ended with {done.returncode}\n{last}")
