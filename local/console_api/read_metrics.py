"""Reading figures from CloudWatch by the minute, and few of them twice."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from darkroom.aws.cloudwatch import CloudWatchMetrics, MetricStat

MINUTE_S = 60
LATE_S = 300
"""How old a figure may be when it arrives. What is older was read before, except once in ``AGAIN_EVERY_S``."""

AGAIN_EVERY_S = 300.0

type Series = dict[int, float]


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A metric and a statistic of it."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str

    @property
    def figure(self) -> MetricStat:
        """The same as our reader of CloudWatch has it."""
        return MetricStat(self.namespace, self.metric, dict(self.dimensions), self.stat)


def build_query(namespace: str, metric: str, dimensions: Mapping[str, str], stat: str) -> MetricQuery:
    """A metric under these dimensions, whatever their order."""
    return MetricQuery(namespace, metric, tuple(sorted(dimensions.items())), stat)


@dataclass(slots=True)
class _Known:
    points: Series
    since_s: float


class MetricReader:
    """Series of CloudWatch by the minute. Safe to share between threads."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._metrics = CloudWatchMetrics(client)
        self._known: dict[MetricQuery, _Known] = {}
        self._whole_s = 0.0
        self._one = Lock()

    def minutes(self, asked: Mapping[MetricQuery, float], now_s: float) -> dict[MetricQuery, Series]:
        """The points of each of ``asked`` from the Unix time that it is asked from until now. Raises Unavailable."""
        with self._one:
            anew = time.monotonic() - self._whole_s > AGAIN_EVERY_S
            if anew:
                self._known, self._whole_s = {}, time.monotonic()
            begins = {one: self._begin(one, since_s, now_s) for one, since_s in asked.items()}
            for begin_s in sorted(set(begins.values())):
                self._read([one for one, at_s in begins.items() if at_s == begin_s], begin_s, now_s)
            return {
                one: {at: value for at, value in self._known[one].points.items() if at >= since_s - MINUTE_S}
                for one, since_s in asked.items()
            }

    def named(self, namespace: str, metric: str) -> Iterable[dict[str, str]]:
        """The sets of dimensions under which ``metric`` is known."""
        for page in self._client.get_paginator("list_metrics").paginate(Namespace=namespace, MetricName=metric):
            for one in page["Metrics"]:
                yield {dimension["Name"]: dimension["Value"] for dimension in one["Dimensions"]}

    def _begin(self, one: MetricQuery, since_s: float, now_s: float) -> float:
        """From when on points have to be read: whole minutes."""
        known = self._known.get(one)
        begin_s = since_s if known is None or known.since_s > since_s else max(since_s, now_s - LATE_S)
        return begin_s // MINUTE_S * MINUTE_S

    def _read(self, some: list[MetricQuery], begin_s: float, now_s: float) -> None:
        read = self._metrics.get_points(
            [one.figure for one in some], begin_s=begin_s, end_s=now_s + 1, period_s=MINUTE_S
        )
        for one, points in zip(some, read, strict=True):
            known = self._known.setdefault(one, _Known({}, begin_s))
            known.since_s = min(known.since_s, begin_s)
            known.points.update((int(at_s), value) for at_s, value in points)
