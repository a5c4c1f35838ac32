"""Read process data from Linux."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path


def read_cpu_ms(pid: int) -> float:
    """Return the CPU time of the process until now, including its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])  # proc(5): 14 and 15, counted from 1 and from the pid
    return (user + system) * 1000 / os.sysconf("SC_CLK_TCK")


def read_memory_mb(pid: int, name: str) -> float:
    """Return ``VmRSS``, the resident memory, or ``VmHWM``, its peak."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    line = next(line for line in status if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024 / 1e6


def list_children(pid: int) -> list[int]:
    """Return the child processes."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]


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


def find_free_ports(count: int) -> list[int]:
    """Return distinct free TCP ports."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in listeners]


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
