"""Read metrics from CloudWatch. Functions write theirs as log lines (EMF)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from ..aws.clients import translate_errors

MAX_QUERIES = 500
"""CloudWatch's maximum of queries in one GetMetricData."""


@dataclass(frozen=True, slots=True)
class MetricStat:
    """One metric under one set of dimensions, and the statistic of it."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    stat: str = "Sum"

    def to_request(self, number: int, period_s: int) -> dict[str, Any]:
        """Return its MetricDataQuery with the id ``m<number>``."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        metric = {"Namespace": self.namespace, "MetricName": self.metric, "Dimensions": dimensions}
        return {
            "Id": f"m{number}",
            "MetricStat": {"Metric": metric, "Period": period_s, "Stat": self.stat},
            "ReturnData": True,
        }


type Points = list[tuple[float, float]]
"""Start of a period (Unix time) and its value, oldest first. A period without data is missing."""


class CloudWatchMetrics:
    """CloudWatch of one region. Every fault is Unavailable.

    ``requested`` counts the requested metrics, each of which GetMetricData charges for.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.requested = 0

    def count_active(self, namespace: str) -> int:
        """Count the metrics of ``namespace`` with data within three hours, the shortest period of ListMetrics."""
        with translate_errors(f"metrics of {namespace}"):
            pages = self._client.get_paginator("list_metrics").paginate(Namespace=namespace, RecentlyActive="PT3H")
            return sum(len(page["Metrics"]) for page in pages)

    def get_points(self, queries: Sequence[MetricStat], *, begin_s: float, end_s: float, period_s: int) -> list[Points]:
        """Return the points of each metric from ``begin_s`` to ``end_s`` (Unix time), in the order of ``queries``.

        ``period_s`` is a multiple of 60; the times are best multiples of it.
        """
        found: list[Points] = []
        for some in batched(queries, MAX_QUERIES, strict=False):
            found += self._get_points(some, begin_s, end_s, period_s)
        return found

    def get_totals(self, queries: Sequence[MetricStat], *, begin_s: float, end_s: float, period_s: int) -> list[float]:
        """Return the sum of all periods of each metric; 0 without data."""
        points = self.get_points(queries, begin_s=begin_s, end_s=end_s, period_s=period_s)
        return [sum(value for _, value in one) for one in points]

    def _get_points(self, queries: Sequence[MetricStat], begin_s: float, end_s: float, period_s: int) -> list[Points]:
        self.requested += len(queries)
        request: dict[str, Any] = {
            "MetricDataQueries": [figure.to_request(number, period_s) for number, figure in enumerate(queries)],
            "StartTime": datetime.fromtimestamp(begin_s, UTC),
            "EndTime": datetime.fromtimestamp(end_s, UTC),
            "ScanBy": "TimestampAscending",
        }
        found: dict[str, Points] = {f"m{number}": [] for number in range(len(queries))}
        while True:
            with translate_errors(f"metrics of {queries[0].namespace}"):
                answer = self._client.get_metric_data(**request)
                for result in answer["MetricDataResults"]:
                    times = (at.timestamp() for at in result["Timestamps"])
                    found[result["Id"]] += zip(times, map(float, result["Values"]), strict=True)
            if not answer.get("NextToken"):
                return [sorted(points) for points in found.values()]
            request["NextToken"] = answer["NextToken"]
