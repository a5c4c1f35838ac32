"""A stack beside others: a process on free ports, with its own state."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import local_stack

from .paths import ROOT, StackPaths
from .ports import find_free_ports
from .saved_state import SavedState

HANGS_AFTER_S = 1200.0
"""A start without a new line of output, which says each step, hangs: a step takes minutes on a machine in use."""

STOPS_WITHIN_S = 600.0
"""Mostly for deleting what MiniStack unpacked: a gigabyte with inference."""

LOG = "output.log"
TAIL_CHARACTERS = 2000


class StackError(Exception):
    """The stack did not start, or lacks something that the caller needs. The message contains the end of its output."""


@dataclass(frozen=True)
class IsolatedStack:
    """A running stack: its process, its state folder, and the content of its ``stack.json``."""

    process: subprocess.Popen[bytes]
    state: Path
    info: dict[str, Any]

    def tail(self) -> str:
        """Return the end of its output."""
        return _tail(self.state)

    def end(self) -> int:
        """Stop it as Ctrl-C does; return its exit status."""
        return _end(self.process)


def start(state: Path, *options: str, root: Path = ROOT) -> IsolatedStack:
    """Start the stack of the checkout ``root`` with ``options`` of ``darkroom up`` and wait until it is ready.

    Its ports are free ones, or that of the queues that ``state`` has. Raises StackError.
    """
    state.mkdir(parents=True, exist_ok=True)
    cdn, aws = find_free_ports(2)
    aws = SavedState(StackPaths(state).ministack / "state").port or aws
    command = [sys.executable, str(root / "cli"), "up", "--state-dir", str(state)]
    ports = ["--port", str(cdn), "--aws-port", str(aws)]
    with (state / LOG).open("wb") as output:
        process = subprocess.Popen([*command, *ports, *options], cwd=root, stdout=output, stderr=subprocess.STDOUT)
    try:
        return IsolatedStack(process, state, _wait_for_info(process, state))
    except BaseException:
        _end(process)
        raise


@contextmanager
def run_stack(state: Path, *options: str) -> Iterator[IsolatedStack]:
    """Run a stack until the context exits."""
    stack = start(state, *options)
    try:
        yield stack
    finally:
        stack.end()


def _wait_for_info(process: subprocess.Popen[bytes], state: Path) -> dict[str, Any]:
    known, deadline_s = -1, 0.0
    while True:
        if (written := (state / LOG).stat().st_size) != known:
            known, deadline_s = written, time.monotonic() + HANGS_AFTER_S
        info = _read_info(state)
        if info.get("pids", {}).get("stack") == process.pid:  # and not of a stack that was killed
            return info
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise StackError(f"The stack did not start:\n{_tail(state)}")
        time.sleep(0.1)


def _read_info(state: Path) -> dict[str, Any]:
    try:
        return dict(local_stack.read(state))
    except ValueError:
        return {}


def _tail(state: Path) -> str:
    return (state / LOG).read_text(errors="replace")[-TAIL_CHARACTERS:]


def _end(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
