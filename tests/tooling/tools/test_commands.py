"""Tools of make targets start in a checkout without installed packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = sorted(
    path.stem for path in (ROOT / "tools").glob("*.py") if "ArgumentParser(" in path.read_text(encoding="utf-8")
)


@pytest.mark.sample(3)
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_finds_what_it_needs(tool: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", "--help"], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
