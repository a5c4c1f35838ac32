"""What MiniStack saved: whether a start can go on with it, and what a killed process lost."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import StartError
from .ministack_process import RUNNING, SAVED

_QUEUE = re.compile(r"https?://[^/\"\\\s]+:(?P<port>\d+)/\d{12}/")
"""The address of a queue, which is its identity: it has the port of MiniStack, and functions have it as a variable."""


@dataclass(frozen=True)
class SavedState:
    """The files of services in ``folder``."""

    folder: Path

    @property
    def saved_ns(self) -> int:
        """The time of the last save in ns, 0 if there was none."""
        try:
            return (self.folder / SAVED).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    @property
    def lost_since_s(self) -> float | None:
        """The time of the last save (Unix time) if the process was killed since; None if it saved at its end."""
        return self.saved_ns / 1e9 if (self.folder / RUNNING).exists() else None

    @property
    def port(self) -> int:
        """The port that the saved queues have, 0 if there are none."""
        queues = self.folder / "sqs.json"
        found = _QUEUE.search(queues.read_text(encoding="utf-8")) if queues.exists() else None
        return int(found["port"]) if found else 0

    def check(self, port: int) -> None:
        """Raise StartError if no MiniStack on ``port`` can go on with this state."""
        for file in sorted(self.folder.glob("*.json")):
            try:
                json.loads(file.read_bytes())
            except ValueError as error:
                raise StartError(
                    f"The saved state is damaged: {file} ({error}). MiniStack would start without these resources. "
                    f"Restore the file, or begin again: delete {self.folder.parent.parent}."
                ) from error
        if self.port and port != self.port:
            raise StartError(
                f"The stack in {self.folder.parent.parent} was deployed with --aws-port {self.port}: the addresses of "
                f"its queues have this port, and no function would receive from them at {port}. Start it with "
                f"--aws-port {self.port}, or another stack with --state-dir."
            )
