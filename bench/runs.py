"""The last full runs, kept in runs.json: on which machine, when, and all figures by goal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .goals import Figure, Goal

RUNS = Path(__file__).with_name("runs.json")
KEPT = 3


@dataclass(frozen=True, slots=True)
class Run:
    """One full run: ``date`` is in ISO 8601, UTC; ``load`` the load average before."""

    date: str
    machine: str
    load: float
    figures: Mapping[str, Figure]


def read_runs(path: Path) -> list[Run]:
    """The runs that are kept, the oldest first; none if there is no file."""
    if not path.exists():
        return []
    return [
        Run(**{**one, "figures": {goal: Figure(**figure) for goal, figure in one["figures"].items()}})
        for one in json.loads(path.read_text(encoding="utf-8"))
    ]


def add_run(run: Run, path: Path) -> list[Run]:
    """Add ``run``, forget all but the last :data:`KEPT`, and give those."""
    runs = [*read_runs(path), run][-KEPT:]
    path.write_text(json.dumps([asdict(one) for one in runs], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return runs


def judge_goal(goal: Goal, runs: Sequence[Run]) -> str:
    """How often ``goal`` was met in those of ``runs`` that have it; where it was missed, the floor and the reason."""
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
    floor = f"floor {goal.spelled(figure.floor)}" if figure.floor is not None else ""
    reasons = "; ".join(filter(None, (floor, figure.why)))
    return f"{text}: {reasons}" if reasons else text
