"""Metrics that CloudFront and SageMaker publish on AWS, collected from the local CDN and endpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import batched
from typing import Any, NamedTuple

from ..sagemaker.runtime import Invocation

VALUES_PER_DATUM = 150
"""Maximum values of one datum (API reference of PutMetricData)."""

CACHED, MISSED = "Hit", "Miss"
SAFE = frozenset({"GET", "HEAD"})


class Metric(NamedTuple):
    """Values of a metric with the number of occurrences of each."""

    namespace: str
    metric: str
    unit: str
    dimensions: Mapping[str, str]
    values: Mapping[float, int]

    def data(self) -> Iterable[dict[str, Any]]:
        """Yield the values as data of PutMetricData."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        for some in batched(self.values.items(), VALUES_PER_DATUM, strict=False):
            values, counts = zip(*some, strict=True)
            yield {
                "MetricName": self.metric,
                "Dimensions": dimensions,
                "Unit": self.unit,
                "Values": list(values),
                "Counts": list(counts),
            }


class _ValueCounter:
    """Values by metric, until ``drain`` returns them."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._values: dict[tuple[str, str, tuple[tuple[str, str], ...]], Counter[float]] = {}

    def _add(self, metric: str, unit: str, dimensions: Mapping[str, str], value: float) -> None:
        name = metric, unit, tuple(dimensions.items())
        self._values.setdefault(name, Counter())[float(f"{value:.4g}")] += 1

    def drain(self) -> list[Metric]:
        """Return the metrics collected since the last call."""
        values, self._values = self._values, {}
        return [
            Metric(self._namespace, metric, unit, dict(dimensions), counts)
            for (metric, unit, dimensions), counts in values.items()
        ]


class ViewerCounts(_ValueCounter):
    """CloudFront's metrics of a distribution ("CloudFront metrics" of its developer guide).

    A rate is recorded as 0 or 100 for each request, so that averages over any period are correct. CloudFront publishes
    the rate of each minute.
    """

    def __init__(self, distribution_id: str) -> None:
        super().__init__("AWS/CloudFront")
        self._dimensions = {"DistributionId": distribution_id, "Region": "Global"}

    def note(self, method: str, status: int, cache: str, took_ms: float, size_bytes: int) -> None:
        """Count one response to a viewer. ``cache`` is its ``X-Cache``."""
        add, dimensions = self._add, self._dimensions
        add("Requests", "None", dimensions, 1)
        add("BytesDownloaded", "None", dimensions, size_bytes)
        add("4xxErrorRate", "Percent", dimensions, 100 * (400 <= status < 500))
        add("5xxErrorRate", "Percent", dimensions, 100 * (status >= 500))
        add("TotalErrorRate", "Percent", dimensions, 100 * (status >= 400))
        result = cache.partition(" ")[0]
        if method in SAFE and result in (CACHED, MISSED, "RefreshHit"):
            add("CacheHitRate", "Percent", dimensions, 100 * (result != MISSED))
        if result == MISSED:
            add("OriginLatency", "Milliseconds", dimensions, took_ms)


class ModelCounts(_ValueCounter):
    """SageMaker's metrics of endpoint invocations ("Amazon SageMaker AI metrics in CloudWatch")."""

    def __init__(self) -> None:
        super().__init__("AWS/SageMaker")

    def note(self, call: Invocation) -> None:
        """Count one call of a container."""
        dimensions = {"EndpointName": call.endpoint, "VariantName": call.variant}
        add = self._add
        add("Invocations", "None", dimensions, 1)
        add("Invocation4XXErrors", "None", dimensions, int(400 <= call.status < 500))
        add("Invocation5XXErrors", "None", dimensions, int(call.status >= 500))
        add("ModelLatency", "Microseconds", dimensions, call.latency_s * 1e6)
