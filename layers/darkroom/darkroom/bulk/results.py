"""What became of one key in a run, and how that is written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ..errors import BadRun, DarkroomError, get_error_code

MAX_ATTEMPTS = 3
"""How often a key is tried that fails, or that a worker died at, before it is given up in this execution."""

WORKER_DIED, UNSETTLED = "worker-died", "unsettled"
"""Reasons of failures that no error tells of: whoever was at it never came back; whoever was asked has not answered."""


class KeyOutcome(StrEnum):
    """``STARTED``: a worker is at it, or died there. ``ASKED``: another function does it, and is waited for.

    ``DONE``: as asked. ``UNCHANGED``: it was so before. ``REFUSED``: for what it is. ``FAILED``: by our fault, or after
    too many tries. ``MISSING``: there is no such picture, any more.
    """

    STARTED = "started"
    PENDING = "asked"
    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    FAILED = "failed"
    MISSING = "missing"


SETTLED_OUTCOMES = frozenset({KeyOutcome.DONE, KeyOutcome.UNCHANGED, KeyOutcome.REFUSED, KeyOutcome.MISSING})
"""What no resumed run tries again."""


@dataclass(frozen=True, slots=True)
class KeyResult:
    """The fate of a key. ``reason`` is a code, "" where the outcome says all. ``ms``: what its last try took.

    ``mark`` is what an operation that has asked another function knows its answer by.
    """

    outcome: KeyOutcome
    reason: str = ""
    attempts: int = 0
    ms: int = 0
    mark: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether no further try can change it."""
        return self.outcome in SETTLED_OUTCOMES

    @property
    def is_final(self) -> bool:
        """Whether this execution is through with it."""
        return self.is_settled or (self.outcome is KeyOutcome.FAILED and self.attempts >= MAX_ATTEMPTS)

    @property
    def to_document(self) -> dict[str, Any]:
        """As it is stored; what is empty is left out."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def for_report(self) -> KeyResult:
        """As a report tells it: what was left in the middle has failed."""
        reasons = {KeyOutcome.STARTED: WORKER_DIED, KeyOutcome.PENDING: UNSETTLED}
        if self.outcome not in reasons:
            return self
        return KeyResult(KeyOutcome.FAILED, reasons[self.outcome], self.attempts, self.ms)


NOT_TRIED = KeyResult(KeyOutcome.FAILED, "not-tried")
"""Of a key that nobody has begun with."""


def parse_result(document: Mapping[str, Any]) -> KeyResult:
    """The entry in ``document``; raises BadRun for what is none."""
    try:
        return KeyResult(**{**document, "outcome": KeyOutcome(document["outcome"])})
    except (KeyError, TypeError, ValueError) as error:
        raise BadRun("An outcome cannot be read", detail=repr(document)[:500]) from error


def result_of_error(error: Exception) -> KeyResult:
    """The entry that an error makes of a key: it was refused where no further try at the same bytes could help."""
    refusal = isinstance(error, DarkroomError) and error.status < 500 and not error.retryable
    return KeyResult(KeyOutcome.REFUSED if refusal else KeyOutcome.FAILED, get_error_code(error))


def furthest(known: KeyResult, other: KeyResult) -> KeyResult:
    """The one of two workers' entries about a key that is nearer to the end."""
    return max(known, other, key=lambda entry: (entry.is_settled, entry.attempts, entry.outcome is KeyOutcome.PENDING))


def count_outcomes(entries: Iterable[KeyResult]) -> dict[str, int]:
    """How many there are of each outcome."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.outcome] = counts.get(entry.outcome, 0) + 1
    return counts
