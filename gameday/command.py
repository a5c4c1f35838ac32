"""Run commands of ``./darkroom`` about the stack, as on AWS."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from local.paths import ROOT

from .environment import Environment
from .wait_for import WaitTimeout

WITHIN_S = 600.0
"""Limit that detects a hang."""


def run_darkroom(environment: Environment, *words: object) -> dict[str, Any]:
    """Run a command with ``--json``; return its document. Raises WaitTimeout if it fails."""
    command = [sys.executable, ROOT / "cli", *map(str, words), "--stack", environment.info["stack_name"], "--json"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment.variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
    if done.returncode:
        raise WaitTimeout(f"`darkroom {' '.join(map(str, words))}` failed: {(done.stdout + done.stderr)[-600:]}")
    return dict(json.loads(done.stdout))
