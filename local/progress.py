"""Telling the person at the terminal what happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Lines with the seconds since the start before them."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started_s

    def say(self, text: str) -> None:
        """Print one line at once, also into a log file."""
        print(f"[{self.elapsed_s:6.1f} s] {text}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what is being done, and how long it took if that was long."""
        self.say(f"{text} ...")
        begun_s = time.monotonic()
        yield
        took_s = time.monotonic() - begun_s
        if took_s >= 3:
            self.say(f"  done in {took_s:.0f} s")
