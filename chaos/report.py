"""The report that a run prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .faults import Fault
from .invariants import INVARIANTS, Case, Violation

SHOWN = 25
"""How many of a long list are printed."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All of a run. ``took_s``: of the storm, of the calm after it."""

    command: str
    case: Case
    violations: Sequence[Violation]
    injected: Mapping[tuple[str, Fault], int]
    forwarded: int
    deaths: Mapping[str, int]
    told_again: int
    took_s: tuple[float, float]


def report(findings: Findings) -> str:
    """For people. Its first and last lines say how to do the same again."""
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
            *_invariants(findings.violations),
            "",
            f"Again, as far as processes can be made to repeat themselves: {findings.command}",
        ]
    )


def _counts(findings: Findings) -> Iterator[str]:
    case, evidence = findings.case, findings.case.evidence
    ends = Counter(expected.end.value for expected in case.expected.values())
    codes = Counter(
        expected.content.code for expected in case.expected.values() if expected.content and expected.content.code
    )
    uploads = sum(map(len, case.uploaded.values()))
    storm_s, calm_s = findings.took_s
    yield f"{uploads} uploads of {len(case.expected)} keys in {storm_s:.0f} s of storm and {calm_s:.0f} s of calm"
    yield f"  ends            {_list(ends)}"
    yield f"  refused for     {_list(codes)}"
    yield f"  requests        {findings.forwarded} carried out, {sum(findings.injected.values())} faults"
    yield f"  events          {sum(map(len, evidence.sequencers.values()))}, {findings.told_again} of them told twice"
    yield f"  announcements   {_list(Counter(one.detail_type for one in evidence.announced))}"
    yield f"  media bucket    {_list(Counter(name.partition('/')[0] for name in evidence.media))}"
    yield f"  quarantine      {len(evidence.quarantine)}"
    yield f"  dead letters    {len(evidence.dead)}, of them sent to be: {len(case.poison)}"


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
