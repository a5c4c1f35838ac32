"""Runbooks as they are followed: their own commands, word for word but for what they say to fill in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.aws import tool_environment
from local.place import ROOT
from tools.local_stack import environment

from .waiting import NotSo
from .world import World

PAGES = ROOT / "docs" / "runbooks"
WITHIN_S = 120.0

_HERE = """
set -euo pipefail
aws() {
  if [ "$1" = sagemaker ]; then command aws "$@"; else command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; fi
}
"""
"""The command line takes the variables for every service but SQS; SageMaker is elsewhere here than the others."""


def commands(name: str) -> list[str]:
    """The blocks of commands of a runbook. The first one says what the others use."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def block(name: str, word: str) -> str:
    """The first block of a runbook, after the one that defines things, in which ``word`` is. Raises NotSo."""
    for found in commands(name)[1:]:
        if word in found:
            return found
    raise NotSo(f"the runbook {name} has no commands with {word!r}")


def follow(world: World, name: str, *words: str, filled: Mapping[str, str] | None = None) -> str:
    """Run the first commands of a runbook and those blocks that have ``words``; what they print.

    ``filled`` are lines of them, and what is written instead. Raises NotSo if a line is not there or a command fails.
    """
    script = "\n".join([commands(name)[0], *(block(name, word) for word in words)])
    for line, instead in (filled or {}).items():
        if line not in script:
            raise NotSo(f"the runbook {name} has no {line!r}")
        script = script.replace(line, instead)
    there = tool_environment(world.facts["aws_endpoint_url"]) | environment(world.facts)
    there |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "AWS_PAGER": "",
        "USER": "gameday",
    }
    done = subprocess.run(
        ["bash", "-c", _HERE + script],
        cwd=ROOT,
        env=there,
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
    if done.returncode:
        raise NotSo(f"a command of the runbook {name} failed: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout
