"""The weekly trend of the models' accuracy, from metrics as CloudWatch returns them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cli.accuracy_trend import Trend, average_weeks, format_trends, list_weeks, read_trends

_numbers = itertools.count(1)

MONDAY = date(2026, 7, 27)
WEEKS = (MONDAY - timedelta(weeks=2), MONDAY - timedelta(weeks=1), MONDAY)


def at_s(day: date) -> float:
    return datetime.combine(day, datetime.min.time(), UTC).timestamp()


@pytest.mark.parametrize("days", [0, 3, 6])
def test_weeks_begin_on_monday_and_end_with_the_present_one(days: int) -> None:
    assert list_weeks(at_s(MONDAY + timedelta(days=days)) + 86_399, 3) == WEEKS


def test_a_week_is_the_average_of_its_days_and_nothing_without_any() -> None:
    points = [
        (at_s(WEEKS[0] - timedelta(days=1)), 1.0),
        (at_s(WEEKS[0]), 90.0),
        (at_s(WEEKS[0] + timedelta(days=6)), 91.0),
        (at_s(WEEKS[2]), 80.0),
    ]
    assert average_weeks(points, WEEKS) == (90.5, None, 80.0)


@pytest.mark.parametrize(
    ("metric", "by_week", "change", "worse"),
    [
        ("Recall", (90.0, 92.0, 88.9), -2.1, True),
        ("Recall", (90.0, 92.0, 89.0), -2.0, False),
        ("Recall", (90.0, None, 95.0), 5.0, False),
        ("FalsePositiveRate", (1.0, 1.0, 3.5), 2.5, True),
        ("FalsePositiveRate", (9.0, 9.0, 1.0), -8.0, False),
        ("Precision", (None, None, 80.0), None, False),
        ("Precision", (None, None, None), None, False),
        ("Precision", (80.0, 70.0, None), -10.0, True),
    ],
)
def test_a_week_is_compared_with_those_before(
    metric: str, by_week: tuple[float | None, ...], change: float | None, worse: bool
) -> None:
    trend = Trend("faces", "main", metric, by_week)
    assert trend.change == (None if change is None else pytest.approx(change))
    assert trend.is_worse(2.0) == worse


def test_a_table_shows_missing_weeks_as_missing() -> None:
    lines = list(format_trends([Trend("faces", "main", "Recall", (None, 92.0, 88.9))], WEEKS))
    assert lines == [
        "week of            07-13  07-20  07-27 change",
        "faces main Recall      –   92.0   88.9   -3.1",
    ]


@pytest.mark.slow
def test_metrics_are_read_by_task_and_variant(aws: Callable[[str], Any]) -> None:
    namespace, client = f"Trend{next(_numbers)}", aws("cloudwatch")
    now_s = datetime.now(UTC).timestamp()
    weeks = list_weeks(now_s, 2)

    def put(metric: str, at: float, value: float, **dimensions: str) -> None:
        named = {"service": "monitor", "function": "monitor", **dimensions}
        client.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": name, "Value": text} for name, text in named.items()],
                    "Timestamp": datetime.fromtimestamp(at, UTC),
                    "Value": value,
                    "Unit": "Percent",
                }
            ],
        )

    put("Recall", at_s(weeks[0]), 90.0, task="faces", variant="main")
    put("Recall", at_s(weeks[0]) + 86_400, 94.0, task="faces", variant="main")
    put("Recall", at_s(weeks[1]), 80.0, task="faces", variant="main")
    put("Precision", at_s(weeks[1]), 70.0, task="text", variant="challenger")
    put("Recall", at_s(weeks[1]), 1.0, task="faces")
    put("Drift", at_s(weeks[1]), 1.0, task="faces", variant="main")
    assert read_trends(client, namespace, weeks) == [
        Trend("faces", "main", "Recall", (92.0, 80.0)),
        Trend("text", "challenger", "Precision", (None, 70.0)),
    ]
