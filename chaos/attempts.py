"""Record what happened to each receive of a message, also of those whose worker was killed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SUFFIX = ".attempts"


class Step(StrEnum):
    """``RELEASED``: returned before the function was invoked, as when Lambda is throttled."""

    RECEIVED = "received"
    RELEASED = "released"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Attempts:
    """Receives of all messages with one body."""

    received: int
    released: int
    failed: int
    done: int

    @property
    def killed(self) -> int:
        """Receives without a result."""
        return self.received - self.released - self.failed - self.done

    def __str__(self) -> str:
        """Format the counts."""
        counts = (self.received, self.killed, self.failed, self.released, self.done)
        return "received {}, killed {}, failed {}, released {}, carried out {} times".format(*counts)


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """The log of one worker in ``path``. A line is written whole, whatever happens to the worker."""

    path: Path

    def write(self, step: Step, bodies: Iterable[str]) -> None:
        """Append ``step`` of each message."""
        lines = "".join(f"{step} {_digest(body)}\n" for body in bodies)
        with self.path.open("a") as file:
            file.write(lines)


def read_attempts(folder: Path, body: str) -> Attempts:
    """Count the receives of messages with this ``body`` in the logs of all workers."""
    return count_attempts(
        (line for path in sorted(folder.glob(f"*{SUFFIX}")) for line in path.read_text().splitlines()), body
    )


def count_attempts(lines: Iterable[str], body: str) -> Attempts:
    """Count the receives of messages with this ``body``."""
    counts: Mapping[str, int] = Counter(
        step for step, _, digest in (line.partition(" ") for line in lines) if digest == _digest(body)
    )
    return Attempts(*(counts.get(step, 0) for step in Step))


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
