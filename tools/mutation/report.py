"""The score of a run, with its survivors, as JSON and as text."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
    killed_by: str
    seconds: float


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


def summarise(outcomes: Sequence[Outcome], equivalents: Sequence[Equivalent], run: dict[str, Any]) -> dict[str, Any]:
    """Return the score, and the mutants that no test noticed. ``run`` describes the run."""
    survived = [outcome for outcome in outcomes if outcome.ended in ("survived", "not covered")]
    equivalent = [one for one in survived if any(entry.matches(one) for entry in equivalents)]
    survivors = [one for one in survived if one not in equivalent]
    counted = len(outcomes) - len(equivalent)
    killed = len(outcomes) - len(survived)
    return run | {
        "mutants": len(outcomes),
        "killed": killed,
        "equivalent": len(equivalent),
        "survived": sum(one.ended == "survived" for one in survivors),
        "not_covered": sum(one.ended == "not covered" for one in survivors),
        "timeouts": sum(one.ended == "timeout" for one in outcomes),
        "score": round(killed / counted, 4) if counted else 1.0,
        "survivors": [asdict(one) for one in sorted(survivors, key=lambda one: (one.file, one.line))],
        "outcomes": [asdict(one) for one in outcomes],
    }


def format_summary(summary: dict[str, Any]) -> str:
    """Return the score and the survivors as text."""
    head = (
        f"{summary['package']}: score {summary['score']:.1%} = {summary['killed']} killed of {summary['mutants']}"
        f" less {summary['equivalent']} equivalent; {summary['survived']} survived,"
        f" {summary['not_covered']} not covered, {summary['timeouts']} by timeout; seed {summary['seed']}"
    )
    blocks = [
        f"{one['file']}:{one['line']}  {one['operator']}  ({_coverage(one)})\n"
        f"    - {one['original']}\n    + {one['mutated']}"
        for one in summary["survivors"]
    ]
    return "\n".join([head, "", *blocks, ""])


def _coverage(survivor: dict[str, Any]) -> str:
    if survivor["covering"] is None:
        return f"{survivor['ran']} tests run"
    return f"{survivor['ran']} of {survivor['covering']} covering tests run"
