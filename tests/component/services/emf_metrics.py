"""Read EMF metrics from the output of functions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

type Counted = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Sums of metrics by their names and dimensions, without those that every metric has."""

EVERYWHERE = {"service", "function"}


def counted(output: str) -> Counted:
    """Sum the metrics."""
    found: Counted = defaultdict(float)
    for line in output.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for block in document.get("_aws", {}).get("CloudWatchMetrics", []):
            for names in block["Dimensions"]:
                dimensions = frozenset((name, str(document[name])) for name in names if name not in EVERYWHERE)
                for metric in block["Metrics"]:
                    values = document[metric["Name"]]
                    found[metric["Name"], dimensions] += sum(values) if isinstance(values, list) else values
    return dict(found)


def of(counted: Counted, metric: str) -> Mapping[str, float]:
    """The sums of ``metric`` by the one dimension that it has, "" where it has none."""
    return {
        next((value for _, value in dimensions), ""): total
        for (name, dimensions), total in counted.items()
        if name == metric
    }
