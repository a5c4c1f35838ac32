"""The score of a run, with its survivors."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

EQUIVALENT = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Outcome:
    """One mutant after its tests. ``covering`` is None where coverage is not measured."""

    file: str
    line: int
    operator: str
    original: str
    mutated: str
    covering: int | None
    ran: int
    ended: str


@dataclass(frozen=True)
class Equivalent:
    """A change without an effect that a test could see."""

    file: str
    original: str
    mutated: str
    reason: str

    def matches(self, outcome: Outcome) -> bool:
        """Whether ``outcome`` is this change; lines are compared by their text."""
        return (self.file, self.original, self.mutated) == (outcome.file, outcome.original, outcome.mutated)


def read_equivalents(path: Path = EQUIVALENT) -> list[Equivalent]:
    """Read the list of equivalent mutants."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
    return [Equivalent(**entry) for entry in entries]


def format_report(package: str, seed: int, outcomes: Sequence[Outcome], equivalents: Sequence[Equivalent]) -> str:
    """Return the score, and the mutants that no test noticed."""
    unnoticed = [one for one in outcomes if one.ended in ("survived", "not covered")]
    survivors = [one for one in unnoticed if not any(entry.matches(one) for entry in equivalents)]
    killed, equivalent = len(outcomes) - len(unnoticed), len(unnoticed) - len(survivors)
    counted = len(outcomes) - equivalent
    ends = Counter(one.ended for one in survivors)
    timeouts = sum(one.ended == "timeout" for one in outcomes)
    head = (
        f"{package}: score {killed / counted if counted else 1:.1%} = {killed} killed of {len(outcomes)}"
        f" less {equivalent} equivalent; {ends['survived']} survived,"
        f" {ends['not covered']} not covered, {timeouts} by timeout; seed {seed}"
    )
    blocks = [
        f"{one.file}:{one.line}  {one.operator}  ({_describe_tests(one)})\n    - {one.original}\n    + {one.mutated}"
        for one in sorted(survivors, key=lambda one: (one.file, one.line))
    ]
    return "\n".join([head, "", *blocks, ""])


def _describe_tests(survivor: Outcome) -> str:
    if survivor.covering is None:
        return f"{survivor.ran} tests run"
    return f"{survivor.ran} of {survivor.covering} covering tests run"
