"""Evaluate alarms as CloudWatch does.

Sources: "Using Amazon CloudWatch alarms" (an alarm is evaluated once a minute, over windows that slide by minutes) and
"Configuring how CloudWatch alarms treat missing data" (two periods more than needed are retrieved, because data may be
late). Properties are those of AWS::CloudWatch::Alarm, with every function of CloudFormation resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Literal

from .metric_math import Grid, Series, Value, calculate, names_in, to_series

type State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
type Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

FINEST_S = 60
"""Periods begin at whole minutes."""

EXTRA_PERIODS = 2
"""Periods that are retrieved beyond those that are evaluated."""

_RESULT = "value"


@dataclass(frozen=True, slots=True)
class Query:
    """One metric of an alarm, as in GetMetricData's MetricStat."""

    id: str
    namespace: str
    metric: str
    dimensions: dict[str, str]
    period_s: int
    stat: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``value`` is that of the newest period with data; ``reason`` is a sentence."""

    state: State
    value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """An AWS::CloudWatch::Alarm."""

    logical_id: str
    name: str
    description: str
    queries: tuple[Query, ...]
    expressions: dict[str, str]
    """By id. Without any, the only query is the value."""
    result: str
    period_s: int
    evaluation_periods: int
    datapoints: int
    comparison: str
    threshold: float
    missing: Missing
    actions: tuple[str, ...]

    @classmethod
    def read(cls, logical_id: str, properties: Mapping[str, Any]) -> Alarm:
        """Parse the properties. KeyError if a required one is missing; ValueError if one is not a number."""
        if "Metrics" in properties:
            metrics = properties["Metrics"]
            queries = tuple(_query(entry["Id"], entry["MetricStat"]) for entry in metrics if "MetricStat" in entry)
            expressions = {entry["Id"]: str(entry["Expression"]) for entry in metrics if "Expression" in entry}
            [result] = [entry["Id"] for entry in metrics if _yes(entry.get("ReturnData", True))]
        else:
            stat = {"Metric": properties, "Period": properties["Period"], "Stat": properties["Statistic"]}
            queries, expressions, result = (_query(_RESULT, stat),), {}, _RESULT
        periods = int(properties["EvaluationPeriods"])
        return cls(
            logical_id=logical_id,
            name=str(properties["AlarmName"]),
            description=str(properties.get("AlarmDescription", "")),
            queries=queries,
            expressions=expressions,
            result=result,
            period_s=queries[0].period_s,
            evaluation_periods=periods,
            datapoints=int(properties.get("DatapointsToAlarm", periods)),
            comparison=str(properties["ComparisonOperator"]),
            threshold=float(properties["Threshold"]),
            missing=properties.get("TreatMissingData", "missing"),
            actions=tuple(properties.get("AlarmActions", properties.get("InsufficientDataActions", ()))),
        )

    def times(self, now_s: float) -> list[int]:
        """Return the starts of the retrieved periods, oldest first; the last one has just ended."""
        end = int(now_s // FINEST_S) * FINEST_S
        count = self.evaluation_periods + EXTRA_PERIODS
        return [end - number * self.period_s for number in range(count, 0, -1)]


def evaluate(
    alarm: Alarm, metrics: Mapping[str, Series], now_s: float, before: State = "INSUFFICIENT_DATA"
) -> Evaluation:
    """Return the state of an alarm, given the points of its queries by id.

    Points of one period are aggregated by the query's statistic (exact for sums and extremes; an average is that of the
    averages). ``before`` is the state so far, which stays where ``ignore`` applies. BadExpression if the alarm's metric
    math is outside of the subset.
    """
    times = alarm.times(now_s)
    values = _values(alarm, metrics, times)
    points = [values.get(time) for time in times]
    state = _state(alarm, points) or before
    known = [value for value in points if value is not None]
    last = known[-1] if known else None
    return Evaluation(state, last, _reason(alarm, points))


# ------------------------------------------------------------------- values

_FOLDS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "SampleCount": sum,
    "Minimum": min,
    "Maximum": max,
    "Average": lambda values: sum(values) / len(values),
}


def _query(name: str, stat: Mapping[str, Any]) -> Query:
    metric = stat["Metric"]
    dimensions = {str(entry["Name"]): str(entry["Value"]) for entry in metric.get("Dimensions", ())}
    return Query(
        name, str(metric["Namespace"]), str(metric["MetricName"]), dimensions, int(stat["Period"]), str(stat["Stat"])
    )


def _yes(value: object) -> bool:
    return str(value).lower() == "true"


def _values(alarm: Alarm, metrics: Mapping[str, Series], times: Sequence[int]) -> Series:
    known: dict[str, Value] = {
        query.id: fold_periods(metrics.get(query.id, {}), times, alarm.period_s, query.stat) for query in alarm.queries
    }
    order = TopologicalSorter(
        {name: names_in(text) & alarm.expressions.keys() for name, text in alarm.expressions.items()}
    )
    for name in order.static_order():
        known[name] = calculate(alarm.expressions[name], Grid(times, alarm.period_s, known))
    return to_series(known[alarm.result], times)


def fold_periods(points: Series, times: Sequence[int], period_s: int, stat: str) -> Series:
    """Aggregate points by the periods that begin at ``times``. Of several percentiles the highest is kept."""
    fold = _FOLDS.get(stat, max)
    within: dict[int, list[float]] = {}
    for time, value in points.items():
        number = int((time - times[0]) // period_s)
        if 0 <= number < len(times):
            within.setdefault(times[number], []).append(value)
    return {start: fold(values) for start, values in within.items()}


# -------------------------------------------------------------------- state

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (lambda value, threshold: value > threshold, "over"),
    "GreaterThanOrEqualToThreshold": (lambda value, threshold: value >= threshold, "at or over"),
    "LessThanThreshold": (lambda value, threshold: value < threshold, "under"),
    "LessThanOrEqualToThreshold": (lambda value, threshold: value <= threshold, "at or under"),
}

_STATES_WITHOUT_DATA: dict[Missing, State | None] = {
    "missing": "INSUFFICIENT_DATA",
    "ignore": None,
    "breaching": "ALARM",
    "notBreaching": "OK",
}


def _state(alarm: Alarm, points: Sequence[float | None]) -> State | None:
    """Return the state by the points, oldest first; None keeps the former state."""
    compare, _ = _COMPARISONS[alarm.comparison]
    breaches = [None if point is None else compare(point, alarm.threshold) for point in points]
    known = [breach for breach in breaches if breach is not None]
    lacking = alarm.evaluation_periods - len(known)
    if not known:
        return _STATES_WITHOUT_DATA[alarm.missing]
    if lacking > 0 and alarm.missing in ("missing", "ignore") and _early(breaches, alarm.datapoints):
        return "ALARM" if alarm.missing == "missing" else None
    breaching = sum(known[-alarm.evaluation_periods :]) + (max(lacking, 0) if alarm.missing == "breaching" else 0)
    return "ALARM" if breaching >= alarm.datapoints else "OK"


def _early(breaches: Sequence[bool | None], datapoints: int) -> bool:
    """Whether all known points breach, since so long that no missing point could change the state."""
    return False not in breaches and True in breaches[: len(breaches) - datapoints + 1]


def _reason(alarm: Alarm, points: Sequence[float | None]) -> str:
    compare, word = _COMPARISONS[alarm.comparison]
    known = [point for point in points if point is not None]
    if not known:
        return f"No data in {len(points)} periods of {alarm.period_s} s"
    deciding = known[-alarm.evaluation_periods :]
    breaching = sum(compare(point, alarm.threshold) for point in deciding)
    return (
        f"{breaching} of the last {len(deciding)} values are {word} {alarm.threshold:g} "
        f"({alarm.datapoints} make an alarm); the newest is {known[-1]:.6g}"
    )
