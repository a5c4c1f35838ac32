"""Store the last full runs in runs.json: machine, date and all figures by goal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .goals import Figure, Goal

RUNS = Path(__file__).with_name("runs.json")
MAX_RUNS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """A full run. ``date`` is in ISO 8601, UTC; ``load`` the load average before it."""

    date: str
    machine: str
    load: float
    figures: Mapping[str, Figure]


def read_runs(path: Path) -> list[Run]:
    """Read the stored runs, oldest first; none without a file."""
    if not path.exists():
        return []
    return [
        Run(**{**one, "figures": {goal: Figure(**figure) for goal, figure in one["figures"].items()}})
        for one in json.loads(path.read_text(encoding="utf-8"))
    ]


def add_run(run: Run, path: Path) -> list[Run]:
    """Add ``run``, drop all but the last :data:`MAX_RUNS`, and return those."""
    return _write_runs([*read_runs(path), run][-MAX_RUNS:], path)


def complete_run(figures: Mapping[str, Figure], path: Path) -> list[Run]:
    """Add ``figures`` to the last run, if there is one, and return all."""
    runs = read_runs(path)
    return _write_runs([*runs[:-1], *(replace(last, figures={**last.figures, **figures}) for last in runs[-1:])], path)


def _write_runs(runs: list[Run], path: Path) -> list[Run]:
    path.write_text(json.dumps([asdict(one) for one in runs], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return runs


def format_verdict(goal: Goal, runs: Sequence[Run]) -> str:
    """Format how often ``goal`` was met in ``runs``, with lower bound and reason if it was missed."""
    found = [run.figures[goal.id] for run in runs if goal.id in run.figures]
    if not found:
        return "not measured"
    met = sum(goal.met_by(figure) for figure in found)
    if goal.limit is None:
        return _with_floor("no goal", goal, found[-1])
    if met == len(found):
        return f"met in {met} of {len(found)}"
    last = next(figure for figure in reversed(found) if not goal.met_by(figure))
    return _with_floor(f"missed in {len(found) - met} of {len(found)}", goal, last)


def _with_floor(text: str, goal: Goal, figure: Figure) -> str:
    floor = f"floor {goal.format_value(figure.floor)}" if figure.floor is not None else ""
    reasons = "; ".join(filter(None, (floor, figure.why)))
    return f"{text}: {reasons}" if reasons else text
