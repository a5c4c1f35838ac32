"""Starting the stack in the background."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from . import running
from .errors import CannotStart
from .place import ROOT, Place


def up_detached(place: Place, options: Sequence[str]) -> None:
    """Start ``python -m local up`` with ``options`` in a session of its own, show what it says until it is ready."""
    if pid := running.running_pid(place):
        raise CannotStart(f"A stack runs already in {place.state} (process {pid}). `make stop` ends it.")
    place.logs.mkdir(parents=True, exist_ok=True)
    log = place.logs / "stack.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "local", "up", *options],
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
                raise CannotStart(f"The stack did not start; its output is {log}")
            if ready:
                sys.stdout.write(f"It runs in the background, its output goes to {log}. `make stop` ends it.\n")
                return
            time.sleep(0.2)
