"""Data of dashboard panels: series and numbers, computed from metrics as CloudWatch does."""

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
"""The period of a chart by its span, as CloudWatch selects it."""

DESCRIBED = ("id", "section", "title", "kind", "unit", "target", "about", "window_s")
"""Attributes of a panel that its page shows."""

LONGEST_PERIOD_S = 6 * 3600
MEMORY = Split("memory", "used_memory_max", ("function_name",), "function_name", {}, "Maximum", "LambdaInsights")
"""Lambda Insights' metric for the table, which CloudWatch derives from logs."""


def describe_panels() -> list[dict[str, Any]]:
    """Describe all dashboards and their panels, without data."""
    return [
        {
            "name": dashboard.name,
            "title": dashboard.title,
            "panels": [{name: getattr(panel, name) for name in DESCRIBED} for panel in dashboard.panels],
        }
        for dashboard in DASHBOARDS
    ]


def period_of(span_s: float) -> int:
    """Return the period of a chart in seconds."""
    return next((period_s for most_s, period_s in PERIODS_S if span_s <= most_s), LONGEST_PERIOD_S)


@dataclass(frozen=True)
class Dashboards:
    """Fills dashboards with data. ``tokens`` are values of the panels' tokens; ``names`` are display names of
    functions.
    """

    metrics: MetricReader
    tokens: Mapping[str, str]
    names: Mapping[str, str]

    def data(self, name: str, span_s: float, now_s: float) -> dict[str, Any] | None:
        """Return the data of a dashboard for the last ``span_s``, None if it does not exist. Raises Unavailable."""
        board = next((one for one in DASHBOARDS if one.name == name), None)
        if board is None:
            return None
        return {"now_s": now_s, "panels": self._panels(board, span_s, now_s)}

    def _panels(self, board: Dashboard, span_s: float, now_s: float) -> dict[str, Any]:
        frames = [_Frame(self._resolve(panel), panel.window_s or span_s, now_s) for panel in board.panels]
        since_by_query: dict[MetricQuery, float] = {}
        for frame in frames:
            for metric in frame.metrics:
                one = _query_of(metric)
                since_by_query[one] = min(since_by_query.get(one, now_s), frame.times[0])
        points = self.metrics.read_minutes(since_by_query, now_s)
        return {frame.panel.id: frame.render(points) for frame in frames}

    def _resolve(self, panel: Panel) -> Panel:
        """Return the panel with its tokens replaced and its split metrics expanded."""
        measures = panel.series or ((MEMORY,) if panel.kind == "table" else ())
        filled = replace(panel, series=tuple(measures)).for_deployment(self.tokens)
        return replace(filled, series=tuple(one for measure in filled.series for one in self._split(measure)))

    def _split(self, measure: Measure) -> Iterator[Measure]:
        if not isinstance(measure, Split):
            yield measure
            return
        found = [
            dimensions
            for dimensions in self.metrics.list_dimensions(measure.namespace, measure.metric)
            if dimensions.keys() == set(measure.keys) and measure.fixed.items() <= dimensions.items()
        ]
        for number, dimensions in enumerate(sorted(found, key=lambda one: one[measure.by])):
            label = self.names.get(dimensions[measure.by], dimensions[measure.by])
            yield Metric(f"{measure.id}_{number}", label, measure.metric, dimensions, measure.stat, measure.namespace)


class _Frame:
    """A panel and a span of time."""

    def __init__(self, panel: Panel, span_s: float, now_s: float) -> None:
        self.panel = panel
        self.period_s = panel.period_s or period_of(span_s)
        last = int(now_s // self.period_s) * self.period_s
        count = max(1, int(span_s // self.period_s))
        self.times = [last - number * self.period_s for number in reversed(range(count))]
        self.metrics = [measure for measure in panel.series if isinstance(measure, Metric)]

    def render(self, points: Mapping[MetricQuery, Series]) -> dict[str, Any]:
        """Render the panel for the console. Series with equal labels are added up."""
        lines: dict[str, Series] = {}
        for label, line in self._lines(points, self.times, self.period_s):
            known = lines.setdefault(label, {})
            for at, value in line.items():
                known[at] = known.get(at, 0.0) + value
        series = [
            {"label": label, "points": [[at, line.get(at)] for at in self.times]} for label, line in lines.items()
        ]
        return {"series": series, "value": self._number(points) if self.panel.kind == "number" else None}

    def _number(self, points: Mapping[MetricQuery, Series]) -> float | None:
        """Compute one value for the whole span, as CloudWatch does for a single period of that length."""
        span_s = len(self.times) * self.period_s
        for _, line in self._lines(points, [self.times[0]], span_s):
            return next(iter(line.values()), None)
        return None

    def _lines(
        self, points: Mapping[MetricQuery, Series], times: Sequence[int], period_s: int
    ) -> Iterator[tuple[str, Series]]:
        known: dict[str, Value] = {
            metric.id: fold_periods(points.get(_query_of(metric), {}), times, period_s, metric.stat)
            for metric in self.metrics
        }
        for measure in self.panel.series:
            if isinstance(measure, Formula):
                known[measure.id] = calculate(measure.expression, Grid(times, period_s, known))
            if not isinstance(measure, Split) and measure.shown:
                yield measure.label, to_series(known[measure.id], times)


def _query_of(metric: Metric) -> MetricQuery:
    return build_query(metric.namespace, metric.metric, metric.dimensions, metric.stat)
