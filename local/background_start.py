"""Start the stack in the background."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import pidfile
from .errors import StartError
from .paths import COMMAND, ROOT, StackPaths


def _is_of(info: Path, pid: int) -> bool:
    """Whether ``stack.json`` is of the stack with this process id, and not of one that was killed."""
    try:
        return int(json.loads(info.read_text(encoding="utf-8"))["pids"]["stack"]) == pid
    except FileNotFoundError:
        return False


def up_detached(paths: StackPaths, options: Sequence[str]) -> None:
    """Start ``darkroom up`` with ``options`` in its own session, and print its output until it is ready."""
    if pid := pidfile.running_pid(paths):
        raise StartError(f"A stack already runs in {paths.state} (process {pid}). Stop it with `make stop`.")
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = paths.logs / "stack.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*COMMAND, "up", *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with log.open() as output_file:
        while True:
            exited, ready = child.poll() is not None, _is_of(paths.stack_info, child.pid)
            sys.stdout.write(output_file.read())
            sys.stdout.flush()
            if exited:
                raise StartError(f"The stack did not start. Its output: {log}")
            if ready:
                sys.stdout.write(f"The stack runs in the background. Output: {log}. Stop it with `make stop`.\n")
                return
            time.sleep(0.2)
