"""The command ``darkroom``, for the stack on this machine and for stacks on AWS (docs/reference/cli.md)."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout, whose code the command runs."""

IS_CHECKOUT = (ROOT / "Makefile").is_file()
"""Whether it is a whole one: the installed package has only what commands for stacks on AWS need."""

for _folder in (*(ROOT / "layers" / name for name in ("analysis", "dialects", "pipeline", "darkroom")), ROOT):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from extensions import add_packages  # noqa: E402 - found by the line above

add_packages()
