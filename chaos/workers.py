"""Processes of a local stack's functions, and their sudden end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random


def processes(function: str, below: int) -> list[int]:
    """The ids of MiniStack's processes of ``function`` (its name in Lambda); ``below`` is MiniStack's own id."""
    mark = f"ministack-lambda-{function}-".encode()
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if folder.name.isdigit() and mark in (folder / "cmdline").read_bytes() and _parent(folder) == below:
                found.append(int(folder.name))
    return sorted(found)


def _parent(folder: Path) -> int:
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])


class Deaths:
    """Kills one worker after the other, at times and in an order that ``chance`` draws, ``every_s`` on average.

    ``most``: after as many it is over. A machine that has much else to do would never be through otherwise.
    """

    def __init__(self, function: str, below: int, chance: Random, every_s: float, most: int) -> None:
        self._function, self._below, self._chance, self._every_s = function, below, chance, every_s
        self._most = most
        self._over = threading.Event()
        self.killed = 0

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Until the end of what is done inside."""
        thread = threading.Thread(target=self._go_on)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _go_on(self) -> None:
        while self.killed < self._most and not self._over.wait(self._chance.uniform(0, 2 * self._every_s)):
            alive = processes(self._function, self._below)
            if alive:
                with suppress(ProcessLookupError):
                    os.kill(self._chance.choice(alive), signal.SIGKILL)
                    self.killed += 1
