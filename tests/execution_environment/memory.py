"""The memory of a function's processes: a limit by a control group, and what they have used at most.

``RLIMIT_AS`` would be another thing: it counts address space, of which libvips, GDAL and threads reserve gigabytes that
they never touch. Lambda counts what is resident.

The limit is the kernel's where this user may make control groups (root, or a delegated group), and counts files in
``/tmp`` as well, which Lambda does not: it is stricter. Elsewhere processes above the limit are only reported.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.processes import list_children, read_memory_mb
from tests.waiting import wait_until

CGROUPS = Path("/sys/fs/cgroup")
EVERY_S = 0.02
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


class MemoryPeak:
    """The most memory that processes below one have used together, in MiB as ``MemorySize``, sampled by a thread.

    Shared pages are divided among those who share them (PSS). A peak between two samples is seen in the peak of each
    process alone (``VmHWM``), which the kernel notes.
    """

    def __init__(self, root_pid: int) -> None:
        self._root_pid = root_pid
        self.mib = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop sampling."""
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(EVERY_S):
            with suppress(OSError, StopIteration, ValueError):
                found = list(_list_below(self._root_pid))
                together = sum(map(_read_pss_mib, found))
                alone = (read_memory_mb(pid, "VmHWM") * 1e6 / MIB for pid in found)
                self.mib = max(self.mib, together, *alone)


def _list_below(pid: int) -> Iterator[int]:
    for child in list_children(pid):
        yield child
        yield from _list_below(child)


def _read_pss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def find_program(root_pid: int, program: str) -> int | None:
    """Return the process below ``root_pid`` that was started as ``/program``, if there is one."""
    with suppress(OSError):
        for pid in _list_below(root_pid):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(f"/{program}\0".encode()):
                return pid
    return None
