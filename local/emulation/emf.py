"""Embedded metrics: what a line of a function's log counts.

The format is "Specification: Embedded metric format" of the CloudWatch user guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MARK = '"_aws"'


@dataclass(frozen=True, slots=True)
class Datum:
    """Values of a metric under one set of dimensions. ``at_s`` is Unix time."""

    namespace: str
    name: str
    unit: str
    dimensions: dict[str, str]
    values: tuple[float, ...]
    at_s: float


def read_data(text: str) -> Iterator[Datum]:
    """All that the lines of ``text`` count. Lines that are no such documents are passed over."""
    for line in text.splitlines():
        if MARK in line:
            yield from _of_line(line[line.find("{") :])


def _of_line(line: str) -> Iterator[Datum]:
    try:
        document = json.loads(line)
        told = document["_aws"]
        at_s, directives = float(told["Timestamp"]) / 1000, list(told["CloudWatchMetrics"])
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
    told = document.get(name)
    listed = told if isinstance(told, list) else [told]
    return tuple(float(value) for value in listed if isinstance(value, int | float) and not isinstance(value, bool))
