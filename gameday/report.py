"""The report: one HTML file with a timeline of all, and of each scenario what happened, was seen and was measured."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .charts import Points, Row, Span, draw_lines, draw_timeline
from .environment import Environment
from .scenario_run import Mark, Scenario, ScenarioRun, Shown

STYLE = Path(__file__).with_name("report.css")
BEFORE_S = 60.0
KINDS = {"break": "something is broken", "alarm": "it is noticed", "clear": "it is cleared", "note": "by the way"}

_ABOUT = (
    "Each scenario breaks something on a running stack, waits for the alarm or the decision that has to follow, clears "
    "it by its runbook and sees that it is over. Figures are those of the stack's CloudWatch, states those of its "
    "alarms; times are UTC."
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """What the report says of one scenario. ``charts`` are what is shown with the points of each line."""

    title: str
    about: str
    begun_s: float
    ended_s: float
    marks: Sequence[Mark]
    facts: dict[str, str]
    fault: str
    charts: Sequence[tuple[Shown, dict[str, Points]]]


def write_report(
    path: Path, world: Environment, played: Sequence[tuple[Scenario, ScenarioRun]], begun_s: float
) -> None:
    """Read the figures of all that was played, and write the report."""
    path.write_text(format_page([_chapter(world, *one) for one in played], begun_s, time.time()), encoding="utf-8")


def format_page(chapters: Sequence[Chapter], begun_s: float, ended_s: float) -> str:
    """The report as HTML that needs nothing else."""
    failed = sum(bool(one.fault) for one in chapters)
    verdict = f"{failed} of {len(chapters)} scenarios failed" if failed else f"All {len(chapters)} scenarios passed"
    first, last = min(one.begun_s for one in chapters), max(one.ended_s for one in chapters)
    rows = [Row(one.title, one.begun_s, one.ended_s, one.marks, not one.fault) for one in chapters]
    legend = "".join(f'<li class="{kind}"><span class=dot></span>{text}</li>' for kind, text in KINDS.items())
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
            f"<title>Darkroom rehearsal</title><style>{STYLE.read_text(encoding='utf-8')}</style>",
            f"<h1>Rehearsal</h1><p class={'failed' if failed else 'passed'}>{verdict}, in {_took(ended_s - begun_s)}.",
            f"<p class=quiet>{_clock(begun_s, '%Y-%m-%d %H:%M')} UTC. {_ABOUT}",
            f"<h2>Timeline</h2><ul class='legend marks'>{legend}</ul>",
            draw_timeline(rows, Span(first, last)),
            *(_section(one) for one in chapters),
            "</html>\n",
        ]
    )


def _chapter(world: Environment, scenario: Scenario, play: ScenarioRun) -> Chapter:
    charts: list[tuple[Shown, dict[str, Points]]] = []
    for shown in scenario.shown:
        read = world.minutes(list(shown.figures.values()), play.begun_s - BEFORE_S, play.ended_s + BEFORE_S)
        charts.append((shown, dict(zip(shown.figures, read, strict=True))))
    about = (type(scenario).__doc__ or "").strip()
    marks = sorted(play.marks, key=lambda mark: mark.at_s)
    return Chapter(play.title, about, play.begun_s, play.ended_s, marks, play.facts, play.fault, charts)


def _section(one: Chapter) -> str:
    verdict = "failed" if one.fault else "passed"
    span = Span(one.begun_s - BEFORE_S, one.ended_s)
    happened = "".join(
        f"<tr><td>{_clock(mark.at_s)}<td class={mark.kind}><span class=dot></span>{escape(mark.text)}"
        for mark in one.marks
    )
    facts = "".join(f"<tr><td>{escape(name)}<td>{escape(text)}" for name, text in one.facts.items())
    fault = f"<pre>{escape(one.fault)}</pre>" if one.fault else ""
    charts = "".join(
        draw_lines(shown.title, shown.unit, series, one.marks, span, shown.limit) for shown, series in one.charts
    )
    return (
        f"<h2>{escape(one.title)}<span class='verdict {verdict}'>{verdict}</span></h2><p>{escape(one.about)}{fault}"
        f"<table>{happened}</table>{charts}<table class=facts>{facts}</table>"
    )


def _clock(at_s: float, form: str = "%H:%M:%S") -> str:
    return time.strftime(form, time.gmtime(at_s))


def _took(seconds: float) -> str:
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
