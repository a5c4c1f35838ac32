"""Find and kill function processes of a local stack."""

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
    """Return the process ids of the Lambda function ``function`` below MiniStack's process id ``below``."""
    mark = f"ministack-lambda-{function}-".encode()
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if folder.name.isdigit() and mark in (folder / "cmdline").read_bytes() and _parent(folder) == below:
                found.append(int(folder.name))
    return sorted(found)


def _parent(folder: Path) -> int:
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used, 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class CrashCounts:
    """Kills workers in random order, one every ``interval_s`` of their CPU time on average.

    CPU time makes the number of kills independent of the machine's speed.

    ``max_kills`` limits them: on a busy machine the job would never end otherwise.
    """

    def __init__(self, function: str, below: int, rng: Random, interval_s: float, max_kills: int) -> None:
        self._function, self._below, self._chance, self._every_s = function, below, rng, interval_s
        self._most = max_kills
        self._over = threading.Event()
        self.killed = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Kill workers while the context is open."""
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
            worked |= {pid: max(cpu_s(pid), worked.get(pid, 0.0)) for pid in alive}
            if alive and sum(worked.values()) >= due_s:
                due_s = sum(worked.values()) + self._chance.uniform(0, 2 * self._every_s)
                with suppress(ProcessLookupError):
                    os.kill(self._chance.choice(alive), signal.SIGKILL)
                    self.killed += 1
