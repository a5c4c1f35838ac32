"""Compare objectives with the events of some days: shares of good events, the budget spent, and cold starts apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cli.terminal import Line, Style
from darkroom.slo import SLOS, Slo
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics, MetricStat
from observability.burn_rate import list_events
from observability.measures import Metric, fill_measure
from observability.metric_math import Grid, calculate

DAY_S = 86_400

_COLUMNS = (
    *(("target", 9), ("events", 10), ("good", 9), ("budget", 9)),
    *(("cold", 8), ("in cold", 9), ("in warm", 9)),
)
"""Headings of the columns behind the name, with their widths."""


@dataclass(frozen=True, slots=True)
class Share:
    """Bad events of all."""

    bad: float
    total: float

    @property
    def good_percent(self) -> float | None:
        """The share of good events in percent; None without events."""
        return 100 * (1 - self.bad / self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class ObjectiveReport:
    """An objective and its events. ``cold`` and ``warm`` are those that functions counted themselves."""

    slo: Slo
    every: Share
    cold: Share
    warm: Share

    @property
    def spent_percent(self) -> float | None:
        """The part of the error budget of these days that is spent, in percent; None without events."""
        allowed = self.every.total * (1 - self.slo.objective)
        return 100 * self.every.bad / allowed if allowed else None


def read_objectives(
    metrics: CloudWatchMetrics, tokens: Mapping[str, str], *, days: int, now_s: float
) -> list[ObjectiveReport]:
    """Read the events of the last ``days`` for each objective whose functions are deployed.

    ``tokens`` has the namespace and the names of functions by logical id. Raises Unavailable.
    """
    end_s = now_s // DAY_S * DAY_S + DAY_S
    return [
        _read(metrics, slo, tokens, end_s - days * DAY_S, end_s)
        for slo in SLOS
        if all(f"{function.capitalize()}Function" in tokens for function in slo.functions)
    ]


def _read(
    metrics: CloudWatchMetrics, slo: Slo, tokens: Mapping[str, str], begin_s: float, end_s: float
) -> ObjectiveReport:
    events = list_events(slo)
    wanted = [fill_measure(one, tokens) for one in (*events.metrics, *events.cold_metrics)]
    queries = [
        MetricStat(one.namespace, one.metric, one.dimensions, one.stat) for one in wanted if isinstance(one, Metric)
    ]
    totals = metrics.get_totals(queries, begin_s=begin_s, end_s=end_s, period_s=DAY_S)
    known = {one.id: {0: total} for one, total in zip(wanted, totals, strict=True)}

    def add(expression: str) -> float:
        found = calculate(expression, Grid([0], DAY_S, known))
        return found.get(0, 0.0) if isinstance(found, dict) else float(found)  # type: ignore[arg-type]

    own, cold = Share(add(events.own_bad), add(events.own_total)), Share(add(events.cold_bad), add(events.cold_total))
    warm = Share(max(0.0, own.bad - cold.bad), max(0.0, own.total - cold.total))
    return ObjectiveReport(slo, Share(add(events.bad), add(events.total)), cold, warm)


def format_reports(reports: Sequence[ObjectiveReport]) -> Iterator[str]:
    """Yield a line of headings and one for each objective."""
    width = max(len(one.slo.name) for one in reports)
    columns = "".join(f"{name:>{cells}}" for name, cells in _COLUMNS)
    yield Line((f"{'objective':<{width}}{columns}", Style.HEADING))
    for one in reports:
        style = Style.PROBLEM if (one.spent_percent or 0.0) > 100 else Style.PLAIN
        yield Line(
            f"{one.slo.name:<{width}}{100 * one.slo.objective:>8.1f}%{one.every.total:>10,.0f}"
            f"{_percent(one.every.good_percent):>9}",
            (f"{_percent(one.spent_percent, 0):>9}", style),
            f"{one.cold.total:>8,.0f}{_percent(one.cold.good_percent):>9}{_percent(one.warm.good_percent):>9}",
        )


def _percent(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}%"
