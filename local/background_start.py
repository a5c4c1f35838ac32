"""Starting the stack in the background."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from . import pidfile
from .errors import StartError
from .paths import COMMAND, ROOT, StackPaths


def up_detached(place: StackPaths, options: Sequence[str]) -> None:
    """Start ``darkroom up`` with ``options`` in a session of its own, show what it says until it is ready."""
    if pid := pidfile.running_pid(place):
        raise StartError(f"A stack runs already in {place.state} (process {pid}). `make stop` ends it.")
    place.logs.mkdir(parents=True, exist_ok=True)
    log = place.logs / "stack.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*COMMAND, "up", *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with log.open() as printed:
        while True:
            ended, ready = child.poll() is not None, place.facts.exists()
            sys.stdout.write(printed.read())
            sys.stdout.flush()
            if ended:
                raise StartError(f"The stack did not start; its output is {log}")
            if ready:
                sys.stdout.write(f"It runs in the background, its output goes to {log}. `make stop` ends it.\n")
                return
            time.sleep(0.2)
