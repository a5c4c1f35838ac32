"""Run the command blocks of runbooks with a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "guides" / "runbooks"
WITHIN_S = 1200.0
"""Limit that detects a hang."""

_PRELUDE = """
set -euo pipefail
aws() { if [ "$1" = sqs ]; then command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; else command aws "$@"; fi; }
"""
"""The AWS CLI applies endpoint variables to every service except SQS."""


def commands(name: str) -> list[str]:
    """Return a runbook's command blocks. The first one defines what the others use."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(
    blocks: Sequence[str], environment: Mapping[str, str], *, folder: Path, by: str
) -> subprocess.CompletedProcess[str]:
    """Run ``blocks`` in order, in ``folder``, as the user ``by``; the first failing command ends the run.

    The command ``./darkroom`` is that of this checkout. ``environment`` has the addresses of AWS's services. Raises
    subprocess.TimeoutExpired.
    """
    there = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "AWS_PAGER": "",
        "USER": by,
    }
    if not (command := folder / "darkroom").exists():
        command.symlink_to(ROOT / "darkroom")
    return subprocess.run(  # noqa: S603
        ["bash", "-c", _PRELUDE + "\n".join(blocks)],  # noqa: S607
        cwd=folder,
        env={**environment, **there},
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
