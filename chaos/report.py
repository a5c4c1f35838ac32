"""Format the report of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from darkroom_pipeline.operations.dead_letter_queue import DlqMessage

from .attempts import Attempts
from .faults import Fault
from .invariants import INVARIANTS, Case, Violation

BESIDE = ("transform", "poller")
"""Workers whose requests are not those of uploads: renders beside them, and Lambda itself."""

SHOWN_CAUSE = 160
"""Characters shown of the cause of a message that was given up."""

SHOWN = 25
"""Number of lines shown of a long list."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Results of a run. ``took_s`` is the duration of the fault phase and of the recovery.

    ``acts`` is the number of actions, ``limited_faults`` that of the faults of ingest and purge. ``given_up`` are the
    messages that were sent to a dead-letter queue, also those that were redriven, with their receives.
    """

    command: str
    case: Case
    violations: Sequence[Violation]
    injected: Mapping[tuple[str, Fault], int]
    calls: Mapping[str, int]
    acts: int
    limited_faults: int
    given_up: Sequence[tuple[DlqMessage, Attempts]]
    deaths: Mapping[str, int]
    redelivered: int
    took_s: tuple[float, float]

    @property
    def forwarded(self) -> int:
        """The number of forwarded requests."""
        return sum(self.calls.values())


def report(findings: Findings) -> str:
    """Format the report. Its first and last lines are the command that repeats the run."""
    return "\n".join(
        [
            *_counts(findings),
            "",
            *_table(
                "Faults injected", Counter({f"{name:<11} {fault}": n for (name, fault), n in findings.injected.items()})
            ),
            "",
            *_table("Workers killed", findings.deaths),
            "",
            *_table("Requests forwarded", findings.calls),
            "",
            *_given_up(findings),
            "",
            *_invariants(findings.violations),
            "",
            f"Repeat with (concurrency varies): {findings.command}",
        ]
    )


def _counts(findings: Findings) -> Iterator[str]:
    case, snapshot = findings.case, findings.case.snapshot
    ends = Counter(expected.end.value for expected in case.expected.values())
    codes = Counter(
        expected.content.code for expected in case.expected.values() if expected.content and expected.content.code
    )
    uploads = sum(map(len, case.uploaded.values()))
    faults_s, recovery_s = findings.took_s
    yield f"{uploads} uploads of {len(case.expected)} keys"
    yield f"  duration        {faults_s:.0f} s with faults, {recovery_s:.0f} s of recovery"
    yield f"  ends            {_list(ends)}"
    yield f"  refused for     {_list(codes)}"
    killed = sum(findings.deaths.values())
    own = sum(count for call, count in findings.calls.items() if not call.startswith(BESIDE))
    yield f"  requests        {findings.forwarded} forwarded, {sum(findings.injected.values())} faults, {killed} kills"
    own_faults = findings.limited_faults
    rates = [f"{count / findings.acts:.1f} {name}" for name, count in (("requests", own), ("faults", own_faults))]
    yield f"  per action      {' and '.join(rates)} of ingest and purge, {killed / findings.acts:.1f} kills"
    yield f"  events          {sum(map(len, snapshot.sequencers.values()))}, {findings.redelivered} redelivered"
    yield f"  announcements   {_list(Counter(one.detail_type for one in snapshot.announced))}"
    yield f"  media bucket    {_list(Counter(name.partition('/')[0] for name in snapshot.media))}"
    yield f"  quarantine      {len(snapshot.quarantine)}"
    yield f"  dead letters    {len(snapshot.dead)}, of them poison messages: {len(case.poison)}"


def _given_up(findings: Findings) -> Iterator[str]:
    yield f"Given up: {len(findings.given_up)}"
    for message, attempts in findings.given_up:
        yield f"  {message.subject}: {attempts}; {message.cause[:SHOWN_CAUSE]}"


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


def _table(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    yield f"{title}: {sum(counts.values())}"
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    yield from (f"  {number:>5}  {name}" for name, number in ordered[:SHOWN])
    if len(ordered) > SHOWN:
        yield f"  {sum(number for _, number in ordered[SHOWN:]):>5}  at {len(ordered) - SHOWN} other places"


def _invariants(violations: Sequence[Violation]) -> Iterator[str]:
    for name in INVARIANTS:
        broken = [violation for violation in violations if violation.invariant == name]
        yield f"  {'FAIL' if broken else 'ok':<5} {name}"
        yield from (f"          {violation.about}: {violation.what}" for violation in broken[:SHOWN])
        if len(broken) > SHOWN:
            yield f"          and {len(broken) - SHOWN} more"
