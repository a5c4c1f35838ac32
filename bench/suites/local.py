"""The local stack at rest: CPU time and memory of its processes during an idle minute, and its disk space.

At rest means ten minutes after the last use: idle functions and the model server have ended by then.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

from local import pidfile
from local.paths import ROOT, StackPaths

from ..goals import Figure, Rounds, Section, read_goals
from ..processes import list_descendants, name_process, read_cpu_ms, read_parent, read_shared_memory_mb
from ..tables import Table
from . import Progress

FULL_S, QUICK_S = 60.0, 10.0
"""Duration of the measurement. Monitoring, metrics and saved state have periods of up to a minute."""

STATE, DEVELOPMENT = ROOT / ".local", ROOT / ".venv"
LARGE_MB = 20
"""Parts of the disk space below this have no row of their own."""

WHY_DISK = "the floor is `.local` alone: a first start makes no `.venv`"


class NoStack(Exception):
    """No stack runs that could be measured."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure the stack that runs in ``.local``, which nothing else may use meanwhile. Raises NoStack."""
    pid = pidfile.running_pid(StackPaths(ROOT / ".local"))
    if not pid:
        raise NoStack("start a stack first: ./darkroom up --detach, and wait ten minutes, until what is idle has ended")
    lasting_s = QUICK_S if rounds == "quick" else FULL_S
    before: Mapping[int, float] = read_tree(pid)
    parents = {one: read_parent(one) for one in before}
    progress(f"watching {len(before)} processes for {lasting_s:.0f} s")
    started_s = time.monotonic()
    time.sleep(lasting_s)
    took_s, after = time.monotonic() - started_s, read_tree(pid)
    before = move_ended(before, parents, after)
    memory_mb = {one: read_shared_memory_mb(one) for one in after}
    cpu = 100 * (sum(after.values()) - sum(before.values())) / (took_s * 1000)
    values = {
        "local-cpu": cpu,
        "local-memory": sum(memory_mb.values()) / 1000,
        "local-processes": len(after),
    }
    figures = [*(Figure(goal, value, value, value) for goal, value in values.items()), measure_disk()]
    parts = [*STATE.glob("venvs/*"), *(one for one in STATE.iterdir() if one.name != "venvs"), DEVELOPMENT]
    disk = format_disk({str(one.relative_to(ROOT)): measure_disk_bytes([one]) / 1e6 for one in parts if one.is_dir()})
    tables = [format_table(before, after, memory_mb, took_s), disk, format_goals(figures)]
    return Section("\n\n".join(one.markdown() for one in tables), figures)


def read_tree(pid: int) -> dict[int, float]:
    """Return the CPU time in ms of a process and its descendants by process id, with that of ended children."""
    return {one: read_cpu_ms(one, with_ended=True) for one in [pid, *list_descendants(pid)]}


def move_ended(before: Mapping[int, float], parents: Mapping[int, int], after: Container[int]) -> Mapping[int, float]:
    """Return ``before`` with the CPU time of processes that are not in ``after`` at their nearest ancestor that is.

    The kernel adds the time of an ended process to that of its parent.
    """
    moved: dict[int, float] = {}
    for pid, cpu_ms in before.items():
        heir = pid
        while heir not in after and heir in parents:
            heir = parents[heir]
        moved[heir] = moved.get(heir, 0.0) + cpu_ms
    return moved


def measure_disk() -> Figure:
    """Measure the disk space of both folders."""
    both, state = (measure_disk_bytes(folders) / 1e9 for folders in ([STATE, DEVELOPMENT], [STATE]))
    return Figure("local-disk", both, both, both, floor=state, why=WHY_DISK)


def format_disk(parts_mb: Mapping[str, float]) -> Table:
    """Format a row for each large part, the largest first."""
    large = {name: mb for name, mb in parts_mb.items() if mb >= LARGE_MB}
    rows = [(f"`{name}`", f"{large[name]:.0f}") for name in sorted(large, key=lambda one: -large[one])]
    notes = [f"- Parts of {LARGE_MB} MB or more. Files that two parts share by hard links count in both."]
    return Table("Disk space of the local stack", ("", "MB"), rows, notes)


def measure_disk_bytes(folders: Iterable[Path]) -> int:
    """Return the disk space of all files in ``folders``; a file with several hard links in them counts once."""
    seen: dict[tuple[int, int], int] = {}
    for folder in folders:
        for path, _, names in folder.walk():
            for status in (path.lstat(), *((path / name).lstat() for name in names)):
                seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def format_goals(figures: Sequence[Figure]) -> Table:
    """Format a row for each figure."""
    goals = read_goals()
    rows = [
        (goals[one.goal].what, goals[one.goal].format_value(one.value), goals[one.goal].format_limit) for one in figures
    ]
    return Table("The local stack at rest", ("", "measured", "goal"), rows)


def format_table(
    before: Mapping[int, float], after: Mapping[int, float], memory_mb: Mapping[int, float], took_s: float
) -> Table:
    """Format a row for each process, the largest first."""
    rows = [
        (name_process(pid), f"{memory_mb[pid]:.0f}", f"{(after[pid] - before.get(pid, 0)) / took_s / 10:.2f}")
        for pid in sorted(after, key=lambda one: -memory_mb[one])
    ]
    total = sum(after.values()) - sum(before.values())
    rows.append(("together", f"{sum(memory_mb.values()):.0f}", f"{total / took_s / 10:.2f}"))
    notes = [
        f"- {len(after)} processes during {took_s:.0f} s without a request; CPU of one core in %, with ended children. "
        "MB are 10⁶ bytes: the kernel's Pss, which divides shared pages among their processes."
    ]
    return Table("Processes of the local stack", ("", "MB", "CPU %"), rows, notes)
