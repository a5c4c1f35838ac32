"""Run the checks and remove their objects at the end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from .model import Check
from .report import Report
from .running import Selected, run_all
from .world import World


def check_stack(world: World, checks: Selected, options: Sequence[str]) -> Report:
    """Run ``checks`` and remove their objects, also after Ctrl-C or SIGTERM."""
    report = Report(world.stack, world.region, world.folder, datetime.now(UTC).isoformat(timespec="seconds"))
    former = signal.signal(signal.SIGTERM, _interrupt)
    try:
        for group, result in run_all(checks, world, options, _show):
            report.results.append((group, result))
    except KeyboardInterrupt:
        report.is_interrupted = True
    finally:
        signal.signal(signal.SIGTERM, former)
        former = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the removal
        try:
            sys.stderr.write(f"removing {len(world.keys)} images of {world.folder}\n")
            report.left = world.clean_up()
        finally:
            signal.signal(signal.SIGINT, former)
    return report


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _show(group: str, check: Check) -> None:
    sys.stderr.write(f"{group}/{check.name} ...\n")
