"""Peak memory of a process. The maximum of ``getrusage`` includes the process that started the measured one."""

from __future__ import annotations

import inspect
from pathlib import Path


def read_peak_kb() -> int:
    """Return the most resident memory that this program had, in KB (``VmHWM``; proc_pid_status(5))."""
    from pathlib import Path

    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])


def reset_peak() -> None:
    """Forget the peak of this process: the next one begins with its present memory (proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5")


READ_PEAK = "from __future__ import annotations\n" + inspect.getsource(read_peak_kb)
"""Beginning of a program that calls ``read_peak_kb``."""
