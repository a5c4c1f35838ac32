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
def claim(place: StackPaths) -> Iterator[None]:
    """Hold the lock of ``place`` until the context exits. Raises StartError if a stack runs already."""
    place.state.mkdir(parents=True, exist_ok=True)
    with place.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"A stack already runs in {place.state} (process {_pid(place)}). Stop it with `make stop`; "
                "--state-dir and other ports start a second one."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            place.stack_info.unlink(missing_ok=True)
            place.invocable.unlink(missing_ok=True)
            file.truncate(0)


def running_pid(place: StackPaths) -> int:
    """Return the process id of the stack that runs in ``place``, 0 if there is none."""
    try:
        with place.lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return 0
    except BlockingIOError:
        return _pid(place)
    return 0


def stop(place: StackPaths) -> bool:
    """Stop the stack that runs in ``place`` and wait until it has exited; return whether there was one. Raises
    StartError.
    """
    pid = running_pid(place)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_WITHIN_S
    while running_pid(place) == pid:
        if time.monotonic() > deadline_s:
            raise StartError(f"Process {pid} did not exit within {STOP_WITHIN_S:.0f} s; kill it.")
        time.sleep(0.1)
    return True


def _pid(place: StackPaths) -> int:
    text = place.lock.read_text().strip()
    return int(text) if text.isdigit() else 0
