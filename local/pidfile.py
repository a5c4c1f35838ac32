"""A locked file with the process id of the running stack. The lock ends with the process."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import StartError
from .paths import StackPaths

STOP_WITHIN_S = 300.0


@contextmanager
def claim(paths: StackPaths) -> Iterator[None]:
    """Hold the lock of ``paths`` until the context exits. Raises StartError if a stack runs already."""
    paths.state.mkdir(parents=True, exist_ok=True)
    with paths.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"A stack already runs in {paths.state} (process {_pid(paths)}). Stop it with `make stop`; "
                "--state-dir and other ports start a second one."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        paths.stack_info.unlink(missing_ok=True)  # of a stack that was killed
        try:
            yield
        finally:
            paths.stack_info.unlink(missing_ok=True)
            paths.invocable.unlink(missing_ok=True)
            file.truncate(0)


def running_pid(paths: StackPaths) -> int:
    """Return the process id of the stack that runs in ``paths``, 0 if there is none."""
    try:
        with paths.lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return 0
    except BlockingIOError:
        return _pid(paths)
    return 0


def stop(paths: StackPaths) -> bool:
    """Stop the stack that runs in ``paths`` and wait until it has exited; return whether there was one. Raises
    StartError.
    """
    pid = running_pid(paths)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_WITHIN_S
    while running_pid(paths) == pid:
        if time.monotonic() > deadline_s:
            raise StartError(f"Process {pid} did not exit within {STOP_WITHIN_S:.0f} s; kill it.")
        time.sleep(0.1)
    return True


def _pid(paths: StackPaths) -> int:
    text = paths.lock.read_text().strip()
    return int(text) if text.isdigit() else 0
