"""The result of one key in a bulk job, and its document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from darkroom.errors import BadRun, DarkroomError, get_error_code

MAX_ATTEMPTS = 3
"""Attempts per key and execution, crashes of workers included."""

WORKER_DIED, UNSETTLED = "worker-died", "unsettled"
"""Reasons of failures without an error: the worker crashed; the other function has not finished."""


class KeyOutcome(StrEnum):
    """Outcome of a key. The values are stored.

    ``STARTED``: a worker processes it, or crashed there. ``PENDING``: another function processes it. ``UNCHANGED``:
    nothing to do. ``REFUSED``: invalid. ``FAILED``: a server error, or too many attempts. ``MISSING``: no such image.
    """

    STARTED = "started"
    PENDING = "asked"
    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    FAILED = "failed"
    MISSING = "missing"


SETTLED_OUTCOMES = frozenset({KeyOutcome.DONE, KeyOutcome.UNCHANGED, KeyOutcome.REFUSED, KeyOutcome.MISSING})
"""Outcomes that a resumed job does not try again."""


@dataclass(frozen=True, slots=True)
class KeyResult:
    """The result of a key. Names of fields are stored. ``reason`` is a code or ""; ``ms`` the time of the last attempt.

    ``mark`` identifies the result of a PENDING key for its operation.
    """

    outcome: KeyOutcome
    reason: str = ""
    attempts: int = 0
    ms: int = 0
    mark: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether no further attempt can change it."""
        return self.outcome in SETTLED_OUTCOMES

    @property
    def is_final(self) -> bool:
        """Whether this execution has finished it."""
        return self.is_settled or (self.outcome is KeyOutcome.FAILED and self.attempts >= MAX_ATTEMPTS)

    @property
    def to_document(self) -> dict[str, Any]:
        """The stored document, without empty fields."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def for_report(self) -> KeyResult:
        """The result for the report: an unfinished key has failed."""
        reasons = {KeyOutcome.STARTED: WORKER_DIED, KeyOutcome.PENDING: UNSETTLED}
        if self.outcome not in reasons:
            return self
        return KeyResult(KeyOutcome.FAILED, reasons[self.outcome], self.attempts, self.ms)


NOT_TRIED = KeyResult(KeyOutcome.FAILED, "not-tried")
"""Result of a key that was never started."""


def parse_result(document: Mapping[str, Any]) -> KeyResult:
    """Parse ``document``. Raises BadRun."""
    try:
        return KeyResult(**{**document, "outcome": KeyOutcome(document["outcome"])})
    except (KeyError, TypeError, ValueError) as error:
        raise BadRun("A stored result is invalid", detail=repr(document)[:500]) from error


def result_of_error(error: Exception) -> KeyResult:
    """Return the result for an error: REFUSED if another attempt with the same bytes cannot succeed, else FAILED."""
    refusal = isinstance(error, DarkroomError) and error.status < 500 and not error.retryable
    return KeyResult(KeyOutcome.REFUSED if refusal else KeyOutcome.FAILED, get_error_code(error))


def furthest(known: KeyResult, other: KeyResult) -> KeyResult:
    """Return the more advanced of two workers' results of a key."""
    return max(known, other, key=lambda entry: (entry.is_settled, entry.attempts, entry.outcome is KeyOutcome.PENDING))


def count_outcomes(entries: Iterable[KeyResult]) -> dict[str, int]:
    """Count results by outcome."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.outcome] = counts.get(entry.outcome, 0) + 1
    return counts
