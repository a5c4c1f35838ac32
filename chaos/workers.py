"""Processes of a local stack's functions, and their sudden end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

LOOK_EVERY_S = 0.2


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


def worked_s(pid: int) -> float:
    """Return the processor time that a process has used, 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class CrashCounts:
    """Kills one worker after the other, in an order that ``chance`` draws, each ``every_s`` on average of their work.

    Work is processor time of the workers: a slow machine does not lose more of it.

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
        worked: dict[int, float] = {}
        due_s = self._chance.uniform(0, 2 * self._every_s)
        while self.killed < self._most and not self._over.wait(LOOK_EVERY_S):
            alive = processes(self._function, self._below)
            worked |= {pid: max(worked_s(pid), worked.get(pid, 0.0)) for pid in alive}
            if alive and sum(worked.values()) >= due_s:
                due_s = sum(worked.values()) + self._chance.uniform(0, 2 * self._every_s)
                with suppress(ProcessLookupError):
                    os.kill(self._chance.choice(alive), signal.SIGKILL)
                    self.killed += 1
