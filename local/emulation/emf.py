"""Read metrics in embedded metric format from function logs.

Format: CloudWatch user guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MARK = '"_aws"'


@dataclass(frozen=True, slots=True)
class Datum:
    """Values of a metric for one set of dimensions. ``at_s`` is Unix time."""

    namespace: str
    name: str
    unit: str
    dimensions: dict[str, str]
    values: tuple[float, ...]
    at_s: float


def read_data(text: str) -> Iterator[Datum]:
    """Yield the metrics in the lines of ``text``. Other lines are ignored."""
    for line in text.splitlines():
        if MARK in line:
            yield from _read_line(line[line.find("{") :])


def _read_line(line: str) -> Iterator[Datum]:
    try:
        document = json.loads(line)
        metadata = document["_aws"]
        at_s, directives = float(metadata["Timestamp"]) / 1000, list(metadata["CloudWatchMetrics"])
    except (ValueError, TypeError, KeyError):
        return
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            if len(dimensions) < len(names):
                continue
            for metric in directive.get("Metrics", ()):
                if values := _values(document, metric.get("Name", "")):
                    yield Datum(
                        directive.get("Namespace", ""),
                        metric["Name"],
                        metric.get("Unit", "None"),
                        dimensions,
                        values,
                        at_s,
                    )


def _values(document: Mapping[str, Any], name: str) -> tuple[float, ...]:
    value = document.get(name)
    listed = value if isinstance(value, list) else [value]
    return tuple(float(number) for number in listed if isinstance(number, int | float) and not isinstance(number, bool))
