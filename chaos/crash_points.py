"""Death at a chosen line: the process ends at once, as a function does that is out of memory or frozen for good.

Lines are counted by ``sys.monitoring`` in our own files only. Most lives end in what changes the world (services,
adapters, functions); the others anywhere, where long loops over a file's bytes would otherwise draw nearly every lot.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from .seeded_rng import seeded_random

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "layers" / "darkroom" / "darkroom"
DECISIVE = (PACKAGE / "services", PACKAGE / "aws", ROOT / "functions")
ANYWHERE = (PACKAGE, ROOT / "functions")
STATUS = 137
"""Exit status of a process that was killed (128 + SIGKILL)."""

ANYWHERE_SHARE = 0.2
ANYWHERE_LINES = 5
"""How many lines of ours run for each one that is decisive, roughly."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """When a life ends: at line number ``after`` of those that run in the files below ``within``."""

    within: tuple[Path, ...]
    after: int


def parse_crash_point(seed: int, who: str, life: int, *, mean_lines: int) -> CrashPoint:
    """The end that life number ``life`` of ``who`` draws: after ``mean_lines`` decisive lines, twice that at most."""
    chance = seeded_random(seed, "death", who, life)
    if chance.random() < ANYWHERE_SHARE:
        return CrashPoint(ANYWHERE, chance.randint(1, 2 * mean_lines * ANYWHERE_LINES))
    return CrashPoint(DECISIVE, chance.randint(1, 2 * mean_lines))


def die_at(end: CrashPoint, testament: Callable[[str], None]) -> None:
    """From now on, count lines; at the chosen one hand ``file:line`` to ``testament`` and exit with no clean-up."""
    monitoring = sys.monitoring
    folders = tuple(f"{folder}{os.sep}" for folder in end.within)
    left = end.after

    def line(code: CodeType, number: int) -> Any:
        nonlocal left
        if not code.co_filename.startswith(folders):
            return monitoring.DISABLE
        left -= 1
        if left == 0:
            testament(f"{Path(code.co_filename).relative_to(ROOT)}:{number}")
            os._exit(STATUS)
        return None

    monitoring.use_tool_id(monitoring.DEBUGGER_ID, "chaos")
    monitoring.register_callback(monitoring.DEBUGGER_ID, monitoring.events.LINE, line)
    monitoring.set_events(monitoring.DEBUGGER_ID, monitoring.events.LINE)
