"""Structured logs and metrics: one JSON object a line on standard output.

Log lines have the field names of Powertools' Logger. Metrics are in the embedded metric format, as from Powertools:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from .traces import trace_id

_bound: dict[str, object] = {}


def service_name() -> str:
    """Return the name of the function in logs and metrics."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "darkroom")


def to_json(document: Mapping[str, object]) -> str:
    """Format ``document`` as JSON in ASCII, so that any text can be written; values of other types as their text."""
    return json.dumps(document, default=str, separators=(",", ":"))


def write_line(line: str) -> None:
    """Write one line to standard output and flush it: nothing runs between two invocations."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def bind(fields: Mapping[str, object]) -> None:
    """Add ``fields`` to every further line of this process, in place of those bound before."""
    _bound.clear()
    _bound.update(fields)


def bound_fields() -> dict[str, object]:
    """Return the fields that are added to every line."""
    return dict(_bound)


def log(level: str, message: str, **fields: object) -> None:
    """Write one line with the bound fields and ``fields``, which are JSON values or written as text."""
    line: dict[str, object] = {
        "level": level,
        "message": message,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "service": service_name(),
    }
    if trace := trace_id():
        line["xray_trace_id"] = trace
    write_line(to_json({**line, **_bound, **fields}))


MAX_VALUES_A_METRIC = MAX_METRICS_A_LINE = 100
"""The format's limits."""

type Dimensions = tuple[tuple[str, str], ...]


class EmfMetrics:
    """Collects metrics until it is flushed, or a line is full."""

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
        """Write the collected metrics, a line for each set of dimensions."""
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
