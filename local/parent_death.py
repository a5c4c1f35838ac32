"""Run a command that is stopped, with its process group, when the parent process exits.

Usage: ``parent_death.py COMMAND …``, as the leader of a process group and with a pipe as standard input. The end of the
pipe marks the parent's exit. A child process watches it; this process executes the command, so that process id and exit
status are the command's.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_S = 10.0


def watch() -> None:
    """Wait for the end of standard input, then stop the group with SIGTERM, and with SIGKILL after ``GRACE_S``."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


def main(command: list[str]) -> None:
    """Execute ``command`` in this process."""
    if os.fork() == 0:
        watch()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
