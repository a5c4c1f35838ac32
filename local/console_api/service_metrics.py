"""What CloudFront and SageMaker would publish about the CDN and the endpoint of this stack, collected between times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, NamedTuple

from ..sagemaker.runtime import Invocation

VALUES_AT_ONCE = 150
"""Of one datum (API reference of PutMetricData)."""

CACHED, MISSED = "Hit", "Miss"
SAFE = frozenset({"GET", "HEAD"})


class Metric(NamedTuple):
    """Values of a metric: how often each occurred."""

    namespace: str
    metric: str
    unit: str
    dimensions: Mapping[str, str]
    values: Mapping[float, int]

    def data(self) -> Iterable[dict[str, Any]]:
        """As PutMetricData takes it."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        for some in batched(self.values.items(), VALUES_AT_ONCE, strict=False):
            values, counts = zip(*some, strict=True)
            yield {
                "MetricName": self.metric,
                "Dimensions": dimensions,
                "Unit": self.unit,
                "Values": list(values),
                "Counts": list(counts),
            }


class _Collected:
    """Values by metric, until they are taken."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._values: dict[tuple[str, str, tuple[tuple[str, str], ...]], Counter[float]] = {}

    def add(self, metric: str, unit: str, dimensions: Mapping[str, str], value: float) -> None:
        name = metric, unit, tuple(dimensions.items())
        self._values.setdefault(name, Counter())[float(f"{value:.4g}")] += 1

    def taken(self) -> list[Metric]:
        values, self._values = self._values, {}
        return [
            Metric(self._namespace, metric, unit, dict(dimensions), counts)
            for (metric, unit, dimensions), counts in values.items()
        ]


@dataclass(slots=True)
class ViewerCounts:
    """CloudFront's metrics of a distribution ("CloudFront metrics" of its developer guide).

    Shares are told as 0 or 100 for each request, so that an average over any time is right. CloudFront tells the share
    of each minute.
    """

    distribution_id: str
    _collected: _Collected = field(default_factory=lambda: _Collected("AWS/CloudFront"))

    def note(self, method: str, status: int, cache: str, took_ms: float, size_bytes: int) -> None:
        """One answer to a viewer. ``cache`` is its ``X-Cache``."""
        of = {"DistributionId": self.distribution_id, "Region": "Global"}
        add = self._collected.add
        add("Requests", "None", of, 1)
        add("BytesDownloaded", "None", of, size_bytes)
        add("4xxErrorRate", "Percent", of, 100 * (400 <= status < 500))
        add("5xxErrorRate", "Percent", of, 100 * (status >= 500))
        add("TotalErrorRate", "Percent", of, 100 * (status >= 400))
        word = cache.partition(" ")[0]
        if method in SAFE and word in (CACHED, MISSED, "RefreshHit"):
            add("CacheHitRate", "Percent", of, 100 * (word != MISSED))
        if word == MISSED:
            add("OriginLatency", "Milliseconds", of, took_ms)

    def taken(self) -> list[Metric]:
        """What has come together since the last time."""
        return self._collected.taken()


@dataclass(slots=True)
class ModelCounts:
    """SageMaker's metrics of endpoints' invocations ("Amazon SageMaker AI metrics in CloudWatch")."""

    _collected: _Collected = field(default_factory=lambda: _Collected("AWS/SageMaker"))

    def note(self, call: Invocation) -> None:
        """One call of a container."""
        of = {"EndpointName": call.endpoint, "VariantName": call.variant}
        add = self._collected.add
        add("Invocations", "None", of, 1)
        add("Invocation4XXErrors", "None", of, int(400 <= call.status < 500))
        add("Invocation5XXErrors", "None", of, int(call.status >= 500))
        add("ModelLatency", "Microseconds", of, call.latency_s * 1e6)

    def taken(self) -> list[Metric]:
        """What has come together since the last time."""
        return self._collected.taken()
