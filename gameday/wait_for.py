"""Wait for conditions, or fail."""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK_EVERY_S = 1.0


class WaitTimeout(Exception):
    """A condition did not hold; the message names it."""


def require(condition: object, what: str) -> None:
    """Raise WaitTimeout unless ``condition`` holds."""
    if not condition:
        raise WaitTimeout(what)


def wait_until[T](condition: Callable[[], T | None], what: str, within_s: float, every_s: float = LOOK_EVERY_S) -> T:
    """Return what ``condition`` returns once that is true; raise WaitTimeout after ``within_s``."""
    deadline_s = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > deadline_s:
            raise WaitTimeout(f"not within {within_s:.0f} s: {what}")
        time.sleep(every_s)
    return found
