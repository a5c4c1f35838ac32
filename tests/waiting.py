"""Waits of all tests. Their limit detects a hang: it is no statement about speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

HANG_S = 300.0
"""Far more than anything takes, on a machine that other processes use too."""

LOOK_EVERY_S = 0.1


def wait_until[T](
    condition: Callable[[], T],
    what: str | Callable[[], object],
    within_s: float = HANG_S,
    *,
    every_s: float = LOOK_EVERY_S,
) -> T:
    """Return the first true value of ``condition``; fail with ``what`` after ``within_s``."""
    deadline_s = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline_s, _hang(what, within_s)
        time.sleep(every_s)
    return found


async def wait_until_async[T](
    condition: Callable[[], T],
    what: str | Callable[[], object],
    within_s: float = HANG_S,
    *,
    every_s: float = 0.01,
) -> T:
    """Return the first true value of ``condition`` while other tasks of the loop run."""
    deadline_s = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline_s, _hang(what, within_s)
        await asyncio.sleep(every_s)
    return found


def _hang(what: str | Callable[[], object], within_s: float) -> str:
    return f"not so after {within_s:.0f} s: {what if isinstance(what, str) else what()}"
