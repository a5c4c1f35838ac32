"""CloudWatch metrics in log lines: the embedded metric format, as Powertools writes it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import time

from .logs import to_json, write_line

MAX_VALUES_A_METRIC = MAX_METRICS_A_LINE = 100
"""The format's limits."""

type Dimensions = tuple[tuple[str, str], ...]


class EmfMetrics:
    """Counts until it is flushed, or a line is full."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._counted: dict[Dimensions, dict[str, tuple[str, list[float]]]] = {}

    def add(self, metric: str, value: float, unit: str, dimensions: Dimensions) -> None:
        """Add ``value`` to ``metric`` of these ``dimensions``. The first unit of a metric is its unit."""
        metrics = self._counted.setdefault(dimensions, {})
        _, values = metrics.setdefault(metric, (unit, []))
        values.append(float(value))
        if len(metrics) == MAX_METRICS_A_LINE or len(values) == MAX_VALUES_A_METRIC:
            self._write(dimensions, self._counted.pop(dimensions))

    def flush(self) -> None:
        """Write what has been counted, a line for each set of dimensions."""
        counted, self._counted = self._counted, {}
        for dimensions, metrics in counted.items():
            self._write(dimensions, metrics)

    def _write(self, dimensions: Dimensions, metrics: dict[str, tuple[str, list[float]]]) -> None:
        described = {
            "Namespace": self._namespace,
            "Dimensions": [[name for name, _ in dimensions]],
            "Metrics": [{"Name": name, "Unit": unit} for name, (unit, _) in metrics.items()],
        }
        values = {name: values for name, (_, values) in metrics.items()}
        place = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]}
        write_line(to_json({"_aws": place, **dict(dimensions), **values}))
