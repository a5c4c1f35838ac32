"""A stack beside others, for as long as somebody needs it: a process of its own, on free ports, with its own state."""

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

from tools import local_stack

from .paths import ROOT
from .ports import free_ports

STARTS_WITHIN_S = 600.0
"""The first one on a machine: packages are installed, and models fetched where there is inference."""

STOPS_WITHIN_S = 600.0
"""Most of it is for deleting what MiniStack unpacked: a gigabyte with inference."""

LOG = "output.log"
TAIL_CHARACTERS = 2000


class NoStack(Exception):
    """It did not start, or does not do what it is needed for; the end of its output is in the message."""


@dataclass(frozen=True)
class IsolatedStack:
    """A running stack: its process, the folder of its state, and the facts of its ``stack.json``."""

    process: subprocess.Popen[bytes]
    state: Path
    facts: dict[str, Any]

    def tail(self) -> str:
        """The end of its output."""
        return _tail(self.state)

    def end(self) -> int:
        """End it as Ctrl-C does; its exit status."""
        return _end(self.process)


def start(state: Path, *options: str, root: Path = ROOT, within_s: float = STARTS_WITHIN_S) -> IsolatedStack:
    """Start the stack of the checkout ``root`` with ``options`` of ``darkroom up``; it is ready. Raises NoStack."""
    state.mkdir(parents=True, exist_ok=True)
    cdn, aws = free_ports(2)
    command = [sys.executable, str(root / "cli"), "up", "--state-dir", str(state)]
    ports = ["--port", str(cdn), "--aws-port", str(aws)]
    with (state / LOG).open("wb") as output:
        process = subprocess.Popen([*command, *ports, *options], cwd=root, stdout=output, stderr=subprocess.STDOUT)
    try:
        return IsolatedStack(process, state, _facts(process, state, within_s))
    except BaseException:
        _end(process)
        raise


@contextmanager
def running(state: Path, *options: str) -> Iterator[IsolatedStack]:
    """The same, and it is ended when it is no longer needed."""
    stack = start(state, *options)
    try:
        yield stack
    finally:
        stack.end()


def _facts(process: subprocess.Popen[bytes], state: Path, within_s: float) -> dict[str, Any]:
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            return dict(local_stack.read(state))
        except ValueError:
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise NoStack(f"The stack did not start:\n{_tail(state)}") from None
        time.sleep(0.1)


def _tail(state: Path) -> str:
    return (state / LOG).read_text(errors="replace")[-TAIL_CHARACTERS:]


def _end(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
