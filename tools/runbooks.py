"""Runbooks as they are followed: their own blocks of commands, run by a shell."""

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
"""A limit that detects a hang."""

_PRELUDE = """
set -euo pipefail
aws() { if [ "$1" = sqs ]; then command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; else command aws "$@"; fi; }
"""
"""The command line takes the variables of endpoints for every service but SQS."""


def commands(name: str) -> list[str]:
    """The blocks of commands of a runbook. The first one says what the others use."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(
    blocks: Sequence[str], environment: Mapping[str, str], *, folder: Path, by: str
) -> subprocess.CompletedProcess[str]:
    """Run ``blocks`` one after the other, in ``folder``, as the user ``by``; the first command that fails ends it.

    The command ``./darkroom`` is that of this checkout. ``environment`` has the addresses of AWS's services.
    Raises subprocess.TimeoutExpired.
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
