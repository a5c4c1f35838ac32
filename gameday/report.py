"""Write the report as Markdown: the events and observations of each scenario."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .scenario_run import Kind, Scenario, ScenarioRun

KINDS: dict[Kind, str] = {"break": "failure injected", "alarm": "detected", "clear": "cleared", "note": "note"}


def write_report(path: Path, played: Sequence[tuple[Scenario, ScenarioRun]], begun_s: float) -> None:
    """Write the report of all scenarios."""
    path.write_text(format_report(played, begun_s, time.time()), encoding="utf-8")


def format_report(played: Sequence[tuple[Scenario, ScenarioRun]], begun_s: float, ended_s: float) -> str:
    """Return the report."""
    failed = sum(bool(run.fault) for _, run in played)
    verdict = f"{failed} of {len(played)} scenarios failed" if failed else f"All {len(played)} scenarios passed"
    minutes, seconds = divmod(int(ended_s - begun_s), 60)
    head = f"# Game day\n\n{verdict}, in {minutes} min {seconds} s, from {_clock(begun_s, '%Y-%m-%d %H:%M')} UTC.\n"
    return "\n".join([head, *(line for scenario, run in played for line in _list_lines(scenario, run))])


def _list_lines(scenario: Scenario, run: ScenarioRun) -> Iterator[str]:
    yield f"## {run.title}: {'failed' if run.fault else 'passed'}\n\n{(type(scenario).__doc__ or '').strip()}\n"
    if run.fault:
        yield f"```\n{run.fault}\n```\n"
    yield "| time | event | |\n| --- | --- | --- |"
    for mark in sorted(run.marks, key=lambda mark: mark.at_s):
        yield f"| {_clock(mark.at_s)} | {KINDS[mark.kind]} | {_escape(mark.text)} |"
    yield "\n| observation | |\n| --- | --- |"
    for name, text in run.facts.items():
        yield f"| {_escape(name)} | {_escape(text)} |"
    yield ""


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _clock(at_s: float, form: str = "%H:%M:%S") -> str:
    return time.strftime(form, time.gmtime(at_s))
