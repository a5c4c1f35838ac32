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
PIPELINE = ROOT / "layers" / "pipeline" / "darkroom_pipeline"
DECISIVE = (*(folder / name for folder in (PACKAGE, PIPELINE) for name in ("services", "aws")), ROOT / "functions")
ANYWHERE = (PACKAGE, PIPELINE, ROOT / "functions")
STATUS = 137
"""Exit status of a killed process (128 + SIGKILL)."""

ANYWHERE_SHARE = 0.2
ANYWHERE_LINES = 5
"""Approximate number of lines that run for each decisive one."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """A crash at line number ``after`` of those that run in files below ``within``, counted from an invocation on.

    ``invocation`` is its number in the life of the worker. If it has fewer lines, the next one is counted, too.
    """

    within: tuple[Path, ...]
    invocation: int
    after: int


def draw_crash_point(seed: int, worker_id: str, life: int, *, invocations: int, lines: int) -> CrashPoint:
    """Draw the crash point of a life: in one of ``invocations``, on average, which has some ``lines`` decisive ones.

    Counting invocations makes the number of crashes independent of the number of calls and of the machine's speed.
    """
    rng = seeded_random(seed, "death", worker_id, life)
    invocation = rng.randint(1, 2 * invocations - 1)
    if rng.random() < ANYWHERE_SHARE:
        return CrashPoint(ANYWHERE, invocation, rng.randint(1, lines * ANYWHERE_LINES))
    return CrashPoint(DECISIVE, invocation, rng.randint(1, lines))


def die_at(end: CrashPoint, crash_report: Callable[[str], None]) -> Callable[[], None]:
    """Return a function that is called before each invocation.

    From the invocation of the crash point on it counts lines; at the crash point it passes ``file:line`` to
    ``crash_report`` and exits without clean-up.
    """
    begun = 0

    def begin_invocation() -> None:
        nonlocal begun
        begun += 1
        if begun == end.invocation:
            _count_lines(end, crash_report)

    return begin_invocation


def _count_lines(end: CrashPoint, crash_report: Callable[[str], None]) -> None:
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
