"""Write docs/explanation/performance.md and growth.md: sections of suites between markers, and the table of goals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .goals import Goal, Section
from .paths import ROOT
from .runs import MAX_RUNS, Run, format_verdict
from .tables import Table

PAGE = ROOT / "docs" / "explanation" / "performance.md"
IMAGES = ROOT / "docs" / "images"
GROWTH_PAGE = ROOT / "docs" / "explanation" / "growth.md"


class Markers(NamedTuple):
    """The lines of a page that enclose a generated section."""

    begin: str
    end: str


GOALS = Markers("<!-- goals, do not edit -->", "<!-- end of goals -->")


def find_markers(suite: str) -> Markers:
    """Return the markers of a suite."""
    return Markers(f"<!-- measured by suite {suite}, do not edit -->", f"<!-- end of suite {suite} -->")


def find_page(suite: str) -> Path:
    """Return the page that has the section of a suite."""
    return GROWTH_PAGE if suite == "storing" else PAGE


def write_page(page: Path, text: str, between: Markers) -> None:
    """Replace the text between the markers of ``page``. Raises ValueError if they are missing."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(between.begin)
    _, end, after = rest.partition(between.end)
    if not begin or not end:
        raise ValueError(f"{page} lacks the lines {between.begin} and {between.end}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def write_charts(section: Section) -> None:
    """Write the charts of ``section``."""
    for name, chart in section.charts.items():
        (IMAGES / name).write_text(chart.svg(), encoding="utf-8")


def write_tables(page: Path, tables: Iterable[Table], between: Markers) -> None:
    """Replace the text between the markers of ``page`` by ``tables``. Raises ValueError if the markers are missing."""
    write_page(page, "\n\n".join(table.markdown() for table in tables), between)


def format_section(section: Section) -> str:
    """Return a suite's text and what it could not measure."""
    missing = "\n".join(f"- Not measured: {line}" for line in section.missing)
    return "\n\n".join(filter(None, (section.text, missing)))


def format_goals(goals: Mapping[str, Goal], runs: Sequence[Run]) -> str:
    """Format a row for each goal, a column for each of the last runs, and the runs' machines and times."""
    headings = [
        "what",
        "against",
        "goal",
        *(f"run {number + 1}" for number in range(MAX_RUNS)),
        "verdict",
        "leaves out",
    ]
    lines = [headings, ["---", "---", "---:", *["---:"] * MAX_RUNS, "---", "---"]]
    lines += [
        [
            *(goal.what, goal.against, goal.format_limit, *_cells(goal, runs), format_verdict(goal, runs)),
            goal.leaves_out or "–",
        ]
        for goal in goals.values()
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    made = "\n".join(
        f"- Run {number}: {run.date}, {run.machine}; load average before: {run.load:.1f}."
        for number, run in enumerate(runs, start=1)
    )
    return "\n\n".join(filter(None, (table, made)))


def _cells(goal: Goal, runs: Sequence[Run]) -> list[str]:
    cells = [goal.format_value(run.figures[goal.id].value) if goal.id in run.figures else "–" for run in runs]
    return cells + ["–"] * (MAX_RUNS - len(cells))
