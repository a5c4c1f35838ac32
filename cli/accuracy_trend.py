"""Weekly averages of the models' accuracy on the golden set, read from the metrics that the monitor publishes daily."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import fmean
from typing import Any

from cli.terminal import Line, Style
from darkroom_analysis.mlops.quality_check import WORST
from darkroom_pipeline.aws.clients import translate_errors
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics, MetricStat, Points

DAY_S = 86_400
METRICS = tuple(WORST)


@dataclass(frozen=True, slots=True)
class Trend:
    """One metric of a task and a variant: the average of each week in percent, None without a check in it."""

    task: str
    variant: str
    metric: str
    by_week: tuple[float | None, ...]

    @property
    def change(self) -> float | None:
        """The newest week with data less the average of those before, in points; None without both."""
        known = [value for value in self.by_week if value is not None]
        return known[-1] - fmean(known[:-1]) if len(known) > 1 else None

    def is_worse(self, points: float) -> bool:
        """Whether the newest week is worse than those before by more than ``points``."""
        change = self.change or 0.0
        return (change if WORST[self.metric] is max else -change) > points


def list_weeks(now_s: float, count: int) -> tuple[date, ...]:
    """Return the Mondays (UTC) of the last ``count`` weeks, the current one last."""
    today = datetime.fromtimestamp(now_s, UTC).date()
    monday = today - timedelta(days=today.weekday())
    return tuple(monday - timedelta(weeks=back) for back in reversed(range(count)))


def read_trends(client: Any, namespace: str, weeks: Sequence[date]) -> list[Trend]:
    """Return the trends of all tasks and variants with data in the last two weeks. Raises Unavailable."""
    queries = list(_list_metrics(client, namespace))
    begin = datetime.combine(weeks[0], datetime.min.time(), UTC).timestamp()
    end = datetime.combine(weeks[-1] + timedelta(weeks=1), datetime.min.time(), UTC).timestamp()
    points = CloudWatchMetrics(client).get_points(queries, begin_s=begin, end_s=end, period_s=DAY_S)
    return [
        Trend(query.dimensions["task"], query.dimensions["variant"], query.metric, average_weeks(found, weeks))
        for query, found in zip(queries, points, strict=True)
    ]


def average_weeks(points: Points, weeks: Sequence[date]) -> tuple[float | None, ...]:
    """Average daily ``points`` by week, None for one without a point."""
    by_week: Mapping[date, list[float]] = {week: [] for week in weeks}
    for at_s, value in points:
        day = datetime.fromtimestamp(at_s, UTC).date()
        week = day - timedelta(days=day.weekday())
        if week in by_week:
            by_week[week].append(value)
    return tuple(round(fmean(values), 2) if values else None for values in by_week.values())


def format_trends(trends: Sequence[Trend], weeks: Sequence[date]) -> Iterator[str]:
    """Yield a line for the weeks and one for each trend."""
    labels = [f"{one.task} {one.variant} {one.metric}" for one in trends]
    width = max(map(len, ("week of", *labels)))
    days = "".join(f"{week:%m-%d}".rjust(7) for week in weeks)
    yield Line((f"{'week of':<{width}}{days} change", Style.HEADING))
    for label, one in zip(labels, trends, strict=True):
        values = "".join(("–" if value is None else f"{value:.1f}").rjust(7) for value in one.by_week)
        yield f"{label:<{width}}{values}" + ("–" if one.change is None else f"{one.change:+.1f}").rjust(7)


def _list_metrics(client: Any, namespace: str) -> Iterator[MetricStat]:
    """Yield the metrics by task and variant. CloudWatch lists those of the last two weeks."""
    found: set[tuple[str, str, str]] = set()
    for metric in METRICS:
        with translate_errors(f"metrics {metric} of {namespace}"):
            for page in client.get_paginator("list_metrics").paginate(Namespace=namespace, MetricName=metric):
                for one in page["Metrics"]:
                    named = {each["Name"]: each["Value"] for each in one["Dimensions"]}
                    if {"task", "variant"} <= named.keys():
                        found.add((named["task"], named["variant"], metric))
    for task, variant, metric in sorted(found):
        dimensions = {"service": "monitor", "function": "monitor", "task": task, "variant": variant}
        yield MetricStat(namespace, metric, dimensions, "Average")
