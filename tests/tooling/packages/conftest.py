"""The wheel of darkroom-url, alone in virtual environments of several versions of Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.paths import ROOT

PACKAGE = ROOT / "packages" / "darkroom-url"
VERSIONS = [f"3.{minor}" for minor in range(9, 15)]
OLDEST, PRESENT = VERSIONS[0], "{}.{}".format(*sys.version_info)


@dataclass(frozen=True)
class Server:
    """A virtual environment with the wheel, and nothing else."""

    python: Path

    def run(self, code: str, **given: Any) -> Any:
        """Run ``code``, which has the names ``given``; what it assigns to ``result``."""
        script = f"import json, sys\nglobals().update(json.load(sys.stdin))\n{code}\nprint(json.dumps(result))"
        done = subprocess.run(
            [self.python, "-I", "-c", script], input=json.dumps(given), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="package")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [built] = folder.iterdir()
    return built


def find_python(version: str) -> str | None:
    """Return a Python of this version: the present one, or one on PATH or of pyenv, whose shims may refuse."""
    if version == PRESENT:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *map(str, pyenv.glob(f"{version}.*/bin/python"))]
    runs = (
        one
        for one in found
        if one and subprocess.run([one, "-c", ""], capture_output=True, check=False).returncode == 0
    )
    return next(runs, None)


@pytest.fixture(
    scope="package",
    params=[one if one in (OLDEST, PRESENT) else pytest.param(one, marks=pytest.mark.slow) for one in VERSIONS],
)
def server(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Server:
    python = find_python(request.param)
    if python is None:
        pytest.skip(f"Python {request.param} is not installed")
    folder = tmp_path_factory.mktemp("server")
    uv = [sys.executable, "-m", "uv", "--offline", "--quiet"]
    installed = folder / "bin" / "python"
    for command in (
        ["venv", "--clear", "--python", python, str(folder)],
        ["pip", "install", "--no-index", "--python", str(installed), str(wheel)],
    ):
        done = subprocess.run([*uv, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return Server(installed)
