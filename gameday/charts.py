"""Draw the report's charts as SVG: line charts with marks, and the timeline. Colours are those of the page."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from .scenario_run import Mark

type Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 720, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 30
ROW, LABEL = 46, 190
ALARM_PX = 10
"""Offset of an alarm's mark, because the mark that clears it may follow within a second."""

SERIES = 5
"""Number of line colours that the page defines."""


@dataclass(frozen=True, slots=True)
class Span:
    """The Unix times that a chart covers."""

    begin_s: float
    end_s: float

    def x(self, at_s: float, left: int = LEFT) -> float:
        """Return the x coordinate of a time in px."""
        share = (at_s - self.begin_s) / max(self.end_s - self.begin_s, 1)
        return left + min(max(share, 0.0), 1.0) * (WIDTH - left - RIGHT)


@dataclass(frozen=True, slots=True)
class Row:
    """A scenario in the timeline."""

    title: str
    begin_s: float
    end_s: float
    marks: Sequence[Mark]
    passed: bool


def draw_lines(
    title: str, unit: str, series: Mapping[str, Points], marks: Sequence[Mark], span: Span, limit: float | None
) -> str:
    """Draw a line for each of ``series``, the ``limit`` unless it is None, and ``marks``."""
    most = max([value for points in series.values() for _, value in points] + [limit or 0.0, 1e-9])
    step = round_up_nicely(most / 4)
    top = ceil(most / step) * step

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)

    parts = [
        f'<text class="unit" x="{LEFT}" y="{TOP - 14}">{escape(unit)}</text>',
        *_minutes(span, LEFT, HEIGHT - BOTTOM),
    ]
    for number in range(round(top / step) + 1):
        at = y(number * step)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{at + 4:.1f}">{number * step:g}</text>')
    if limit is not None:
        parts.append(f'<path class="limit" d="M{LEFT} {y(limit):.1f}H{WIDTH - RIGHT}"/>')
    for number, points in enumerate(series.values()):
        path = "L".join(f"{span.x(at):.1f} {y(value):.1f}" for at, value in points)
        dots = "".join(f'<circle cx="{span.x(at):.1f}" cy="{y(value):.1f}" r="2.5"/>' for at, value in points)
        if path:
            parts.append(f'<g class="series s{number % SERIES}"><path d="M{path}"/>{dots}</g>')
    parts += [_mark(mark, span.x(mark.at_s), TOP - 8, HEIGHT - BOTTOM) for mark in marks if mark.kind != "note"]
    return _figure(title, _svg(HEIGHT, parts, title), list(series), limit is not None)


def draw_timeline(rows: Sequence[Row], span: Span) -> str:
    """Draw when each scenario ran, how long a failure lasted, and its marks."""
    parts = list(_minutes(span, LABEL, ROW * len(rows) + 8))
    for number, row in enumerate(rows):
        top = number * ROW + 6
        begin, end = span.x(row.begin_s, LABEL), span.x(row.end_s, LABEL)
        verdict = "passed" if row.passed else "failed"
        parts.append(f'<text class="label" x="4" y="{top + 16}">{escape(row.title)}</text>')
        parts.append(f'<text class="{verdict}" x="4" y="{top + 31}">{verdict}</text>')
        parts.append(
            f'<rect class="played" x="{begin:.1f}" y="{top + 6}" width="{end - begin:.1f}" height="18" rx="3"/>'
        )
        if broken := _broken(row.marks):
            first, last = (span.x(at, LABEL) for at in broken)
            parts.append(_bar("broken", first, last, top + 6))
        parts += [_mark(mark, span.x(mark.at_s, LABEL), top + 2, top + 28) for mark in row.marks]
    return _figure("", _svg(ROW * len(rows) + 38, parts, "timeline"), [], False)


def round_up_nicely(value: float) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that is at least ``value``, which is positive."""
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def _broken(marks: Sequence[Mark]) -> tuple[float, float] | None:
    """Return the time of the first failure and the first mark after it that clears it."""
    begins = [mark.at_s for mark in marks if mark.kind == "break"]
    ends = [mark.at_s for mark in marks if mark.kind == "clear" and begins and mark.at_s >= begins[0]]
    return (begins[0], ends[0]) if begins and ends else None


def _minutes(span: Span, left: int, bottom: int) -> Iterator[str]:
    """Draw the time axis in whole minutes."""
    minutes = (span.end_s - span.begin_s) / 60
    step_s = 60 * max(1, round(round_up_nicely(max(minutes, 1) / 8)))
    for at_s in range(ceil(span.begin_s / 60) * 60, int(span.end_s) + 1, step_s):
        x = span.x(at_s, left)
        clock = time.strftime("%H:%M", time.gmtime(at_s))
        yield f'<path class="grid" d="M{x:.1f} 4V{bottom}"/>'
        yield f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{bottom + 16}">{clock}</text>'


def _bar(kind: str, begin: float, end: float, top: int) -> str:
    return f'<rect class="{kind}" x="{begin:.1f}" y="{top}" width="{end - begin:.1f}" height="18" rx="3"/>'


def _mark(mark: Mark, x: float, top: float, bottom: float) -> str:
    tooltip = escape(f"{time.strftime('%H:%M:%S', time.gmtime(mark.at_s))} {mark.text}")
    middle = top + (ALARM_PX if mark.kind == "alarm" else 0)
    symbol = f'<circle cx="{x:.1f}" cy="{middle}" r="4"/>'
    return f'<g class="mark {mark.kind}"><title>{tooltip}</title><path d="M{x:.1f} {top}V{bottom}"/>{symbol}</g>'


def _svg(height: int, parts: Sequence[str], title: str) -> str:
    name = escape(title, quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}">{"".join(parts)}</svg>'


def _figure(title: str, svg: str, names: Sequence[str], limited: bool) -> str:
    keys = [f'<li class="s{number % SERIES}">{escape(name)}</li>' for number, name in enumerate(names)]
    keys += ['<li class="limit">limit</li>'] if limited else []
    legend = f"<ul class=legend>{''.join(keys)}</ul>" if keys else ""
    caption = f"<figcaption>{escape(title)}</figcaption>" if title else ""
    return f"<figure>{caption}{legend}{svg}</figure>"
