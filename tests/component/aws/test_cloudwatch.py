"""Read CloudWatch metrics: in request order, over all pages, missing data as missing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from darkroom.errors import Unavailable
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.operations.cloudwatch import MAX_QUERIES, CloudWatchMetrics, MetricStat

from . import faulty

MINUTE_S = 60
_numbers = itertools.count(1)


@pytest.fixture
def namespace() -> str:
    return f"Darkroom/test-{next(_numbers)}"


@pytest.fixture
def cloudwatch(aws_environment: dict[str, str]) -> Any:
    return create_client("cloudwatch", aws_environment)


def put(cloudwatch: Any, namespace: str, metric: str, values: dict[float, float], **dimensions: str) -> None:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    data = [
        {"MetricName": metric, "Dimensions": named, "Timestamp": datetime.fromtimestamp(at, UTC), "Value": value}
        for at, value in values.items()
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def test_each_metric_has_its_own_points_in_request_order(cloudwatch: Any, namespace: str) -> None:
    now_s = time.time() // MINUTE_S * MINUTE_S
    put(cloudwatch, namespace, "Requests", {now_s - 120: 3, now_s - 60: 4, now_s - 59: 5}, function="a")
    put(cloudwatch, namespace, "Requests", {now_s - 60: 100}, function="b")
    figures = [MetricStat(namespace, "Requests", {"function": name}) for name in ("b", "unknown", "a")]
    asked: dict[str, Any] = {"begin_s": now_s - 600, "end_s": now_s, "period_s": MINUTE_S}
    assert CloudWatchMetrics(cloudwatch).get_points(figures, **asked) == [
        [(now_s - 60, 100.0)],
        [],
        [(now_s - 120, 3.0), (now_s - 60, 9.0)],
    ]
    assert CloudWatchMetrics(cloudwatch).get_totals(figures, **asked) == [100.0, 0.0, 12.0]


def test_the_statistic_is_the_one_requested(cloudwatch: Any, namespace: str) -> None:
    now_s = time.time() // MINUTE_S * MINUTE_S
    put(cloudwatch, namespace, "Time", {now_s - 60: 10, now_s - 50: 30})
    figures = [MetricStat(namespace, "Time", {}, stat) for stat in ("Average", "Maximum", "SampleCount")]
    found = CloudWatchMetrics(cloudwatch).get_points(figures, begin_s=now_s - 60, end_s=now_s, period_s=MINUTE_S)
    assert [points[0][1] for points in found] == [20.0, 30.0, 2.0]


def test_all_pages_of_an_answer_are_read(aws_environment: dict[str, str]) -> None:
    """MiniStack gives one page: botocore answers here, as CloudWatch would."""
    cloudwatch = create_client("cloudwatch", aws_environment)
    early, late = datetime(2026, 11, 25, 12, tzinfo=UTC), datetime(2026, 11, 25, 13, tzinfo=UTC)
    with Stubber(cloudwatch) as pages:
        for times, values, more in ([late], [2.0], {"NextToken": "t"}), ([early], [1.0], {}):
            result = {"Id": "m0", "Timestamps": times, "Values": values}
            pages.add_response("get_metric_data", {"MetricDataResults": [result], **more})
        found = CloudWatchMetrics(cloudwatch).get_points([MetricStat("N", "M")], begin_s=0, end_s=60, period_s=60)
    assert found == [[(early.timestamp(), 1.0), (late.timestamp(), 2.0)]]


def test_a_region_that_does_not_answer_is_a_fault(no_pauses: None) -> None:
    with faulty.answering(faulty.HANG_UP) as server:
        metrics = CloudWatchMetrics(create_client("cloudwatch", server.environment))
        with pytest.raises(Unavailable, match="cannot be rendered"):
            metrics.get_points([MetricStat("AWS/Lambda", "Errors")], begin_s=0, end_s=60, period_s=60)


@pytest.mark.slow
def test_metrics_over_the_limit_of_a_request_are_read_in_several(aws: Callable[[str], Any]) -> None:
    sizes: list[int] = []
    cloudwatch = aws("cloudwatch")
    cloudwatch.meta.events.register(
        "before-parameter-build.cloudwatch.GetMetricData",
        lambda params, **_: sizes.append(len(params["MetricDataQueries"])),
    )
    figures = [MetricStat("Darkroom/none", f"M{number}") for number in range(MAX_QUERIES + 1)]
    found = CloudWatchMetrics(cloudwatch).get_points(figures, begin_s=0, end_s=60, period_s=60)
    assert (found, sizes) == ([[]] * (MAX_QUERIES + 1), [MAX_QUERIES, 1])
