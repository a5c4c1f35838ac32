"""End a process at a chosen line, without clean-up, like a function that runs out of memory.

``sys.monitoring`` counts lines of this repository only. Most crash points are in code with effects (services, adapters,
functions). The others are anywhere; without this distinction, loops over a file's bytes would contain nearly all.
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
"""Exit status of a killed process (128 + SIGKILL)."""

ANYWHERE_SHARE = 0.2
ANYWHERE_LINES = 5
"""Approximate number of lines that run for each decisive one."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """A crash at line number ``after`` of those that run in files below ``within``."""

    within: tuple[Path, ...]
    after: int


def draw_crash_point(seed: int, worker_id: str, life: int, *, mean_lines: int) -> CrashPoint:
    """Draw the crash point of a life: after ``mean_lines`` decisive lines on average, at most twice as many."""
    rng = seeded_random(seed, "death", worker_id, life)
    if rng.random() < ANYWHERE_SHARE:
        return CrashPoint(ANYWHERE, rng.randint(1, 2 * mean_lines * ANYWHERE_LINES))
    return CrashPoint(DECISIVE, rng.randint(1, 2 * mean_lines))


def die_at(end: CrashPoint, crash_report: Callable[[str], None]) -> None:
    """Count lines; at the crash point pass ``file:line`` to ``crash_report`` and exit without clean-up."""
    monitoring = sys.monitoring
    folders = tuple(f"{folder}{os.sep}" for folder in end.within)
    left = end.after

    def line(code: CodeType, number: int) -> Any:
        nonlocal left
        if not code.co_filename.startswith(folders):
            return monitoring.DISABLE
        left -= 1
        if left == 0:
            crash_report(f"{Path(code.co_filename).relative_to(ROOT)}:{number}")
            os._exit(STATUS)
        return None

    monitoring.use_tool_id(monitoring.DEBUGGER_ID, "chaos")
    monitoring.register_callback(monitoring.DEBUGGER_ID, monitoring.events.LINE, line)
    monitoring.set_events(monitoring.DEBUGGER_ID, monitoring.events.LINE)
