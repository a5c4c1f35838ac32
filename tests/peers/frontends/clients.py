"""The npm packages of the clients, and scripts that run them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.competitors import npm
from bench.competitors.model import MissingCompetitor

HERE = Path(__file__).parent
FILES = tuple(HERE / name for name in (*npm.LOCKED, ".npmrc"))


def install() -> tuple[str, Path]:
    """Return Node and the folder with the packages; skip the test without npm."""
    try:
        return npm.install("frontends-peers", "front ends", FILES)
    except MissingCompetitor as missing:
        pytest.skip(str(missing))


def run(script: str, document: dict[str, Any]) -> Any:
    """Run a script of this folder on ``document`` and return its output."""
    runtime, folder = install()
    done = subprocess.run(
        [runtime, str(HERE / script)],
        input=json.dumps({"folder": str(folder)} | document),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
