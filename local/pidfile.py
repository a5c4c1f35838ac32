"""Which stack is running: a locked file with a process id. The lock goes with the process, however it ends."""

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
    """Be the running stack of ``place`` while the context lasts; raises CannotStart if there is one already."""
    place.state.mkdir(parents=True, exist_ok=True)
    with place.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"A stack runs already in {place.state} (process {_pid(place)}). `make stop` ends it; "
                "--state-dir and other ports start a second one."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            place.facts.unlink(missing_ok=True)
            place.invocable.unlink(missing_ok=True)
            file.truncate(0)


def running_pid(place: StackPaths) -> int:
    """The process id of the stack that runs in ``place``, 0 if none does."""
    try:
        with place.lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return 0
    except BlockingIOError:
        return _pid(place)
    return 0


def stop(place: StackPaths) -> bool:
    """End the stack that runs in ``place`` and wait for its end; whether there was one. Raises CannotStart."""
    pid = running_pid(place)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_WITHIN_S
    while running_pid(place) == pid:
        if time.monotonic() > deadline_s:
            raise StartError(f"Process {pid} has not ended within {STOP_WITHIN_S:.0f} s; kill it by hand.")
        time.sleep(0.1)
    return True


def _pid(place: StackPaths) -> int:
    text = place.lock.read_text().strip()
    return int(text) if text.isdigit() else 0
