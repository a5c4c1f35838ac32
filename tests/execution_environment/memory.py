"""The memory of a function's processes: a limit by a control group, and what they use.

``RLIMIT_AS`` would be another thing: it counts address space, of which libvips, GDAL and threads reserve gigabytes that
they never touch. Lambda counts what is resident.

The limit is the kernel's where this user may make control groups (root, or a delegated group), and counts files in
``/tmp`` as well, which Lambda does not: it is stricter. Elsewhere processes above the limit are only reported.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.processes import list_children, read_cpu_ms, read_memory_mb
from tests.waiting import wait_until

CGROUPS = Path("/sys/fs/cgroup")
EVERY_S = 0.05
MIB = 1 << 20


@contextmanager
def limit_memory(most_mib: int, most_tasks: int) -> Iterator[list[Path]]:
    """Yield files that a process writes its id to, to be limited; none where control groups are not to be had."""
    name, made = f"execution-environment-{uuid.uuid4().hex}", []
    groups = [(CGROUPS, {"memory.max": most_mib * MIB, "memory.swap.max": 0, "pids.max": most_tasks})]
    if not (CGROUPS / "cgroup.controllers").exists():  # version 1
        limits = {"memory": ("memory.limit_in_bytes", most_mib * MIB), "pids": ("pids.max", most_tasks)}
        groups = [(CGROUPS / controller, {file: value}) for controller, (file, value) in limits.items()]
    try:
        with suppress(OSError):
            for parent, values in groups:
                (parent / name).mkdir()
                made.append(parent / name)
                for file, value in values.items():
                    (parent / name / file).write_text(str(value))
        yield [folder / "cgroup.procs" for folder in made]
    finally:
        for folder in made:
            wait_until(lambda folder=folder: _is_removed(folder), f"no process is in {folder}")


def _is_removed(group: Path) -> bool:
    """Remove a control group; it is busy until its last process has ended."""
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


class Usage:
    """What the processes below one have used together, sampled by a thread.

    ``peak_mib`` is the most memory, in MiB as ``MemorySize``. Shared pages are divided among those who share them
    (PSS). A peak between two samples is seen in the peak of each process alone (``VmHWM``), which the kernel notes.
    ``init_cpu_s`` is the CPU time until ``is_initialised``, None before.
    """

    def __init__(self, root_pid: int, is_initialised: Callable[[], bool]) -> None:
        self._root_pid, self._is_initialised = root_pid, is_initialised
        self.peak_mib = 0.0
        self.init_cpu_s: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Take the last sample, which is the only one of a function that was fast, and stop."""
        self._ended.set()
        self._thread.join()
        self._take()

    def _sample(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._take()

    def _take(self) -> None:
        processes = _list_below(self._root_pid)
        found = [_read_mib(pid) for pid in processes]
        self.peak_mib = max([self.peak_mib, sum(now for now, _ in found), *(peak for _, peak in found)])
        if self.init_cpu_s is None and self._is_initialised():
            with suppress(OSError):
                self.init_cpu_s = sum(map(read_cpu_ms, processes)) / 1000


def _list_below(pid: int) -> list[int]:
    """Return all processes below ``pid``, less those that end meanwhile."""
    with suppress(OSError):
        children = list_children(pid)
        return [*children, *(below for child in children for below in _list_below(child))]
    return []


def _read_mib(pid: int) -> tuple[float, float]:
    """Return the proportional set size now and the resident peak of a process, zeros when it ends meanwhile."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        pss_kib = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return pss_kib / 1024, read_memory_mb(pid, "VmHWM") * 1e6 / MIB
    return 0.0, 0.0


def find_program(root_pid: int, program: str) -> int | None:
    """Return the process below ``root_pid`` that was started as ``/program``, if there is one."""
    for pid in _list_below(root_pid):
        with suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(f"/{program}\0".encode()):
                return pid
    return None
