"""Send DLQ messages back to their source queue, and report the cause of each.

A message is deleted only after it was sent. Messages that return meanwhile stay in the queue, so that the run ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from darkroom_pipeline.operations.dead_letter_queue import WAIT_S, DeadLetterQueue, DlqMessage


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """Number of messages, and of those sent back."""

    found: int
    sent: int


@dataclass(frozen=True, slots=True)
class Shown:
    """Description of a DLQ message. ``at`` is the time of its last failure, ISO 8601; missing attributes are empty."""

    at: str
    subject: str
    cause: str
    attempts: str = ""
    trace_id: str = ""
    redriven: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """Return the description as JSON."""
        return asdict(self)


def describe(letter: DlqMessage) -> Shown:
    """Describe a DLQ message."""
    known = {name: letter.attributes.get(name, "") for name in ("attempts", "trace_id", "redriven")}
    at = datetime.fromtimestamp(letter.sent_s, UTC).isoformat(timespec="seconds")
    return Shown(at, letter.subject, letter.cause, **known)


def redrive(
    sqs: Any,
    dead_url: str,
    queue_url: str,
    *,
    urgent_url: str = "",
    dry_run: bool = False,
    report: Callable[[Shown], object] = lambda _: None,
) -> RedriveResult:
    """Send every message of ``dead_url`` to ``queue_url``, urgent ones to ``urgent_url`` if there is such a queue.

    With ``dry_run`` they are only reported.

    Raises Unavailable; messages not yet sent remain in the DLQ.
    """
    letters = DeadLetterQueue(sqs, dead_url, wait_s=WAIT_S)
    found = sent = 0
    shown: list[str] = []
    for letter in letters.read_all():
        found += 1
        report(describe(letter))
        if dry_run:
            shown.append(letter.receipt_handle)
            continue
        letters.redrive(letter, (letter.has_priority and urgent_url) or queue_url)
        sent += 1
    letters.make_visible(shown)
    return RedriveResult(found, sent)


def summary(done: RedriveResult, *, dry_run: bool) -> str:
    """Format the result as one line."""
    return f"dead letters: {done.found}, sent back: {'none, only shown' if dry_run else done.sent}"
