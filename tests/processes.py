"""Processes of this machine: descendants, and which have ended."""

from __future__ import annotations

import subprocess


def family(pid: int) -> set[int]:
    """``pid`` and all its descendants."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(tuple(map(int, line.split())) for line in listed.splitlines())
    found, before = {pid}, set[int]()
    while found != before:
        before = set(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found & parents.keys()


def alive(pids: set[int]) -> set[int]:
    """Return those of ``pids`` that have not ended."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    states = {int(pid): state for pid, state in (line.split() for line in listed.splitlines())}
    return {pid for pid in pids if not states.get(pid, "Z").startswith("Z")}
