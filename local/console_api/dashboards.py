"""What the panels of a dashboard show: series and numbers, calculated from figures as CloudWatch would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from observability.alarm_states import fold_periods
from observability.dashboards import DASHBOARDS, Dashboard, Panel
from observability.measures import Formula, Measure, Metric, Split
from observability.metric_math import Grid, Series, Value, calculate, to_series

from .read_metrics import MetricQuery, MetricReader, build_query

PERIODS_S = ((3 * 3600, 60), (24 * 3600, 300), (7 * 24 * 3600, 3600))
"""The period of a chart by its span, as CloudWatch chooses one."""

LONGEST_PERIOD_S = 6 * 3600
MEMORY = Split("memory", "used_memory_max", ("function_name",), "function_name", {}, "Maximum", "LambdaInsights")
"""Lambda Insights' metric, for the one table, which CloudWatch makes out of logs."""


def describe_panels() -> list[dict[str, Any]]:
    """All dashboards, without their figures."""
    return [
        {
            "name": dashboard.name,
            "title": dashboard.title,
            "panels": [
                {
                    "id": panel.id,
                    "section": panel.section,
                    "title": panel.title,
                    "kind": panel.kind,
                    "unit": panel.unit,
                    "target": panel.target,
                    "about": panel.about,
                    "window_s": panel.window_s,
                }
                for panel in dashboard.panels
            ],
        }
        for dashboard in DASHBOARDS
    ]


def period_of(span_s: float) -> int:
    """Seconds of a chart's periods."""
    return next((period_s for most_s, period_s in PERIODS_S if span_s <= most_s), LONGEST_PERIOD_S)


@dataclass(frozen=True)
class Dashboards:
    """Fills in dashboards. ``tokens`` are what the panels' tokens stand for; ``names`` what functions are called."""

    figures: MetricReader
    tokens: Mapping[str, str]
    names: Mapping[str, str]

    def data(self, name: str, span_s: float, now_s: float) -> dict[str, Any] | None:
        """A dashboard's figures of the last ``span_s``, None if there is no such dashboard. Raises Unavailable."""
        board = next((one for one in DASHBOARDS if one.name == name), None)
        if board is None:
            return None
        return {"now_s": now_s, "panels": self._panels(board, span_s, now_s)}

    def _panels(self, board: Dashboard, span_s: float, now_s: float) -> dict[str, Any]:
        frames = [_Frame(self._resolved(panel), panel.window_s or span_s, now_s) for panel in board.panels]
        asked: dict[MetricQuery, float] = {}
        for frame in frames:
            for metric in frame.metrics:
                one = _wanted(metric)
                asked[one] = min(asked.get(one, now_s), frame.times[0])
        points = self.figures.minutes(asked, now_s)
        return {frame.panel.id: frame.shown(points) for frame in frames}

    def _resolved(self, panel: Panel) -> Panel:
        """The panel with its tokens filled in, and each split metric as the metrics that it stands for."""
        measures = panel.series or ((MEMORY,) if panel.kind == "table" else ())
        filled = replace(panel, series=tuple(measures)).for_deployment(self.tokens)
        return replace(filled, series=tuple(one for measure in filled.series for one in self._split(measure)))

    def _split(self, measure: Measure) -> Iterator[Measure]:
        if not isinstance(measure, Split):
            yield measure
            return
        found = [
            dimensions
            for dimensions in self.figures.named(measure.namespace, measure.metric)
            if dimensions.keys() == set(measure.keys) and measure.fixed.items() <= dimensions.items()
        ]
        for number, dimensions in enumerate(sorted(found, key=lambda one: one[measure.by])):
            label = self.names.get(dimensions[measure.by], dimensions[measure.by])
            yield Metric(f"{measure.id}_{number}", label, measure.metric, dimensions, measure.stat, measure.namespace)


class _Frame:
    """A panel over a span of time."""

    def __init__(self, panel: Panel, span_s: float, now_s: float) -> None:
        self.panel = panel
        self.period_s = period_of(span_s)
        last = int(now_s // self.period_s) * self.period_s
        count = max(1, int(span_s // self.period_s))
        self.times = [last - number * self.period_s for number in reversed(range(count))]
        self.metrics = [measure for measure in panel.series if isinstance(measure, Metric)]

    def shown(self, points: Mapping[MetricQuery, Series]) -> dict[str, Any]:
        """As the console has it: equal labels are one line, the sum of them."""
        lines: dict[str, Series] = {}
        for label, line in self._lines(points, self.times, self.period_s):
            known = lines.setdefault(label, {})
            for at, value in line.items():
                known[at] = known.get(at, 0.0) + value
        told = [{"label": label, "points": [[at, line.get(at)] for at in self.times]} for label, line in lines.items()]
        return {"series": told, "value": self._number(points) if self.panel.kind == "number" else None}

    def _number(self, points: Mapping[MetricQuery, Series]) -> float | None:
        """Of the whole span: metrics are put together before any formula, as for a single period of that length."""
        span_s = len(self.times) * self.period_s
        for _, line in self._lines(points, [self.times[0]], span_s):
            return next(iter(line.values()), None)
        return None

    def _lines(
        self, points: Mapping[MetricQuery, Series], times: Sequence[int], period_s: int
    ) -> Iterator[tuple[str, Series]]:
        known: dict[str, Value] = {
            metric.id: fold_periods(points.get(_wanted(metric), {}), times, period_s, metric.stat)
            for metric in self.metrics
        }
        for measure in self.panel.series:
            if isinstance(measure, Formula):
                known[measure.id] = calculate(measure.expression, Grid(times, period_s, known))
            if not isinstance(measure, Split) and measure.shown:
                yield measure.label, to_series(known[measure.id], times)


def _wanted(metric: Metric) -> MetricQuery:
    return build_query(metric.namespace, metric.metric, metric.dimensions, metric.stat)
