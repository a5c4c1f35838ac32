"""docs/explanation/performance.md: each part writes between markers of its own, and the goals have a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .goals import Goal, Section
from .paths import ROOT
from .runs import KEPT, Run, judge_goal

PAGE = ROOT / "docs" / "explanation" / "performance.md"
CHART = ROOT / "docs" / "images" / "performance.svg"


class Markers(NamedTuple):
    """The lines of a page between which a part of it is written."""

    begin: str
    end: str


GOALS = Markers("<!-- goals, do not edit -->", "<!-- end of goals -->")


def find_markers(part: str) -> Markers:
    """Those of the part with this name."""
    return Markers(f"<!-- measured by part {part}, do not edit -->", f"<!-- end of part {part} -->")


def write_page(page: Path, text: str, between: Markers) -> None:
    """Put ``text`` between the markers of ``page``; raises ValueError if they are not there."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(between.begin)
    _, end, after = rest.partition(between.end)
    if not begin or not end:
        raise ValueError(f"{page} lacks the lines {between.begin} and {between.end}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def format_section(section: Section) -> str:
    """A part's text, and what it could not measure."""
    missing = "\n".join(f"- Not measured: {line}" for line in section.missing)
    return "\n\n".join(filter(None, (section.text, missing)))


def format_goals(goals: Mapping[str, Goal], runs: Sequence[Run]) -> str:
    """A row for each goal, a column for each of the last runs, and where and when they were made."""
    headings = ["what", "against", "goal", *(f"run {number + 1}" for number in range(KEPT)), "verdict"]
    lines = [headings, ["---", "---", "---:", *["---:"] * KEPT, "---"]]
    lines += [
        [goal.what, goal.against, goal.spelled_limit, *_cells(goal, runs), judge_goal(goal, runs)]
        for goal in goals.values()
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    made = "\n".join(
        f"- Run {number}: {run.date}, {run.machine}; load average before: {run.load:.1f}."
        for number, run in enumerate(runs, start=1)
    )
    return "\n\n".join(filter(None, (table, made)))


def _cells(goal: Goal, runs: Sequence[Run]) -> list[str]:
    cells = [goal.spelled(run.figures[goal.id].value) if goal.id in run.figures else "–" for run in runs]
    return cells + ["–"] * (KEPT - len(cells))
