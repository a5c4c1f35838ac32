"""How many pictures were rendered at a time, by what the function's own log says of each answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

ANSWERED = "answered"
"""The message of the line that is written for each answer, when it is ready."""

RENDERED = "encode"
"""The stage that an answer has only if a picture was made for it."""

GRAIN_S = 0.001
"""Times in the log are cut off to milliseconds."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An answer of the function: the path that it was asked for, when it worked on it (Unix time), what it did."""

    path: str
    begun_s: float
    ended_s: float
    rendered: bool


def read_log(lines: Iterable[str]) -> Iterator[LogEntry]:
    """The answers that ``lines`` of the log tell of; other lines are passed over."""
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
    """How many of ``answers`` were worked on at the same moment, at the most.

    Each is taken for a millisecond shorter than it says, so that rounding makes none meet that only follow one another.
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
