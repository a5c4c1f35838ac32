"""Read metrics from CloudWatch by the minute, with a cache."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics, MetricStat

MINUTE_S = 60
MAX_DELAY_S = 300
"""The longest delay of a data point. Older points are read from the cache, and again every ``REFRESH_EVERY_S``."""

REFRESH_EVERY_S = 300.0

type Series = dict[int, float]


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A metric and a statistic."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str

    @property
    def metric_stat(self) -> MetricStat:
        """Return the query as a ``MetricStat``."""
        return MetricStat(self.namespace, self.metric, dict(self.dimensions), self.stat)


def build_query(namespace: str, metric: str, dimensions: Mapping[str, str], stat: str) -> MetricQuery:
    """Build a query for a metric with these dimensions, in any order."""
    return MetricQuery(namespace, metric, tuple(sorted(dimensions.items())), stat)


@dataclass(slots=True)
class _CachedSeries:
    points: Series
    since_s: float


class MetricReader:
    """Series of CloudWatch by the minute, cached. Thread-safe."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._metrics = CloudWatchMetrics(client)
        self._cache: dict[MetricQuery, _CachedSeries] = {}
        self._refreshed_s = 0.0
        self._lock = Lock()

    def read_minutes(self, since_by_query: Mapping[MetricQuery, float], now_s: float) -> dict[MetricQuery, Series]:
        """Return the points of each query from its Unix time until now. Raises Unavailable."""
        with self._lock:
            is_expired = time.monotonic() - self._refreshed_s > REFRESH_EVERY_S
            if is_expired:
                self._cache, self._refreshed_s = {}, time.monotonic()
            begins = {one: self._begin(one, since_s, now_s) for one, since_s in since_by_query.items()}
            for begin_s in sorted(set(begins.values())):
                self._read([one for one, at_s in begins.items() if at_s == begin_s], begin_s, now_s)
            return {
                one: {at: value for at, value in self._cache[one].points.items() if at >= since_s - MINUTE_S}
                for one, since_s in since_by_query.items()
            }

    def list_dimensions(self, namespace: str, metric: str) -> Iterable[dict[str, str]]:
        """Yield the sets of dimensions that CloudWatch lists for ``metric``."""
        for page in self._client.get_paginator("list_metrics").paginate(Namespace=namespace, MetricName=metric):
            for one in page["Metrics"]:
                yield {dimension["Name"]: dimension["Value"] for dimension in one["Dimensions"]}

    def _begin(self, one: MetricQuery, since_s: float, now_s: float) -> float:
        """Return the time from which points have to be read, in whole minutes."""
        cached = self._cache.get(one)
        begin_s = since_s if cached is None or cached.since_s > since_s else max(since_s, now_s - MAX_DELAY_S)
        return begin_s // MINUTE_S * MINUTE_S

    def _read(self, some: list[MetricQuery], begin_s: float, now_s: float) -> None:
        read = self._metrics.get_points(
            [one.metric_stat for one in some], begin_s=begin_s, end_s=now_s + 1, period_s=MINUTE_S
        )
        for one, points in zip(some, read, strict=True):
            cached = self._cache.setdefault(one, _CachedSeries({}, begin_s))
            cached.since_s = min(cached.since_s, begin_s)
            cached.points.update((int(at_s), value) for at_s, value in points)
