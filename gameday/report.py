"""Write the report: an HTML file with a timeline, and the events, facts and metrics of each scenario."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .charts import Points, Row, Span, draw_lines, draw_timeline
from .environment import Environment
from .scenario_run import ChartSpec, Mark, Scenario, ScenarioRun

STYLE = Path(__file__).with_name("report.css")
BEFORE_S = 60.0
KINDS = {"break": "failure injected", "alarm": "detected", "clear": "cleared", "note": "note"}

_ABOUT = (
    "Each scenario injects a failure into a running stack, waits for the expected alarm or decision, clears the "
    "failure by its runbook and verifies the recovery. Metrics and alarm states are those of the stack's CloudWatch. "
    "Times are UTC."
)


@dataclass(frozen=True, slots=True)
class ScenarioReport:
    """Report of one scenario. ``charts`` are chart specifications with the points of each line."""

    title: str
    about: str
    begun_s: float
    ended_s: float
    marks: Sequence[Mark]
    facts: dict[str, str]
    fault: str
    charts: Sequence[tuple[ChartSpec, dict[str, Points]]]


def write_report(
    path: Path, environment: Environment, played: Sequence[tuple[Scenario, ScenarioRun]], begun_s: float
) -> None:
    """Read the metrics of all scenarios and write the report."""
    path.write_text(
        format_page([_build_report(environment, *one) for one in played], begun_s, time.time()), encoding="utf-8"
    )


def format_page(reports: Sequence[ScenarioReport], begun_s: float, ended_s: float) -> str:
    """Return the report as self-contained HTML."""
    failed = sum(bool(one.fault) for one in reports)
    verdict = f"{failed} of {len(reports)} scenarios failed" if failed else f"All {len(reports)} scenarios passed"
    first, last = min(one.begun_s for one in reports), max(one.ended_s for one in reports)
    rows = [Row(one.title, one.begun_s, one.ended_s, one.marks, not one.fault) for one in reports]
    legend = "".join(f'<li class="{kind}"><span class=dot></span>{text}</li>' for kind, text in KINDS.items())
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
            f"<title>Darkroom game day</title><style>{STYLE.read_text(encoding='utf-8')}</style>",
            f"<h1>Game day</h1><p class={'failed' if failed else 'passed'}>{verdict}, in {_took(ended_s - begun_s)}.",
            f"<p class=quiet>{_clock(begun_s, '%Y-%m-%d %H:%M')} UTC. {_ABOUT}",
            f"<h2>Timeline</h2><ul class='legend marks'>{legend}</ul>",
            draw_timeline(rows, Span(first, last)),
            *(_section(one) for one in reports),
            "</html>\n",
        ]
    )


def _build_report(environment: Environment, scenario: Scenario, run: ScenarioRun) -> ScenarioReport:
    charts: list[tuple[ChartSpec, dict[str, Points]]] = []
    for chart_specs in scenario.chart_specs:
        read = environment.minutes(list(chart_specs.figures.values()), run.begun_s - BEFORE_S, run.ended_s + BEFORE_S)
        charts.append((chart_specs, dict(zip(chart_specs.figures, read, strict=True))))
    about = (type(scenario).__doc__ or "").strip()
    marks = sorted(run.marks, key=lambda mark: mark.at_s)
    return ScenarioReport(run.title, about, run.begun_s, run.ended_s, marks, run.facts, run.fault, charts)


def _section(one: ScenarioReport) -> str:
    verdict = "failed" if one.fault else "passed"
    span = Span(one.begun_s - BEFORE_S, one.ended_s)
    happened = "".join(
        f"<tr><td>{_clock(mark.at_s)}<td class={mark.kind}><span class=dot></span>{escape(mark.text)}"
        for mark in one.marks
    )
    facts = "".join(f"<tr><td>{escape(name)}<td>{escape(text)}" for name, text in one.facts.items())
    fault = f"<pre>{escape(one.fault)}</pre>" if one.fault else ""
    charts = "".join(
        draw_lines(chart_specs.title, chart_specs.unit, series, one.marks, span, chart_specs.limit)
        for chart_specs, series in one.charts
    )
    return (
        f"<h2>{escape(one.title)}<span class='verdict {verdict}'>{verdict}</span></h2><p>{escape(one.about)}{fault}"
        f"<table>{happened}</table>{charts}<table class=facts>{facts}</table>"
    )


def _clock(at_s: float, form: str = "%H:%M:%S") -> str:
    return time.strftime(form, time.gmtime(at_s))


def _took(seconds: float) -> str:
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
