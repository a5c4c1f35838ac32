"""Read process data from Linux."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from pathlib import Path


def read_cpu_ms(pid: int, *, with_ended: bool = False) -> float:
    """Return the CPU time of the process until now, with its threads; ``with_ended``: and of children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    times = fields[11 : 15 if with_ended else 13]  # proc(5): 14 to 17, counted from 1 and from the pid
    return sum(map(int, times)) * 1000 / os.sysconf("SC_CLK_TCK")


def read_parent(pid: int) -> int:
    """Return the parent process."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


def read_memory_mb(pid: int, name: str) -> float:
    """Return ``VmRSS``, the resident memory, or ``VmHWM``, its peak."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    line = next(line for line in status if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024 / 1e6


def list_children(pid: int) -> list[int]:
    """Return the child processes."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]


def list_descendants(pid: int) -> list[int]:
    """Return the child processes and theirs."""
    children = list_children(pid)
    return [*children, *(one for child in children for one in list_descendants(child))]


def read_shared_memory_mb(pid: int) -> float:
    """Return ``Pss``: resident memory in which shared pages are divided by the number of processes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024 / 1e6


def name_process(pid: int) -> str:
    """Return the Lambda function that the process runs, else the name of its program and script."""
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    prefix = b"AWS_LAMBDA_FUNCTION_NAME="
    if function := next((one.removeprefix(prefix) for one in variables if one.startswith(prefix)), b""):
        return function.decode()
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    scripts = (Path(word).name for word in words[1:] if word == "-c" or not word.startswith("-"))
    return f"{Path(words[0]).name} {next(scripts, '')}".strip()


def await_end(pid: int) -> None:
    """Wait until the process has released its memory. A zombie counts as ended, because it may never be reaped."""
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state in "ZX":
            return
        time.sleep(0.005)


def connect(client: http.client.HTTPConnection, process: subprocess.Popen[bytes], within_s: float) -> None:
    """Connect ``client`` as soon as ``process`` listens. Raises OSError if it ends before, or takes longer."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            client.connect()
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.01)
        else:
            return
