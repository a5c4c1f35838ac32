"""Read the number of concurrent renders from the function's log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

ANSWERED = "answered"
"""Message of the line that is written for each response."""

RENDERED = "encode"
"""Stage of responses for which an image was rendered."""

GRAIN_S = 0.001
"""Times in the log are truncated to milliseconds."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A response of the function: its path, its times (Unix time), and its work."""

    path: str
    begun_s: float
    ended_s: float
    rendered: bool


def read_log(lines: Iterable[str]) -> Iterator[LogEntry]:
    """Parse the responses in ``lines`` of the log; other lines are skipped."""
    for line in lines:
        try:
            fields = json.loads(line[line.find("{") :])
        except ValueError:
            continue
        if isinstance(fields, dict) and fields.get("message") == ANSWERED:
            ended_s = datetime.fromisoformat(fields["timestamp"]).timestamp()
            begun_s = ended_s - fields["ms"] / 1000
            yield LogEntry(fields.get("path", ""), begun_s, ended_s, RENDERED in fields["stages_ms"])


def max_concurrent(answers: Iterable[LogEntry]) -> int:
    """Return the largest number of ``answers`` in progress at the same time.

    Each counts as a millisecond shorter, so that rounding does not make consecutive ones overlap.
    """
    changes = [
        change
        for answer in answers
        if answer.begun_s + GRAIN_S < answer.ended_s
        for change in ((answer.begun_s + GRAIN_S, 1), (answer.ended_s, -1))
    ]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most
