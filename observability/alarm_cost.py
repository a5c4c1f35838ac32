"""Cost of the alarms by level: a table of docs/reference/slo.md, and the mapping of template.yaml for the monitor."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from darkroom_pipeline.operations.cost_model import load_prices

from .alarm import CompositeAlarm, MetricAlarm
from .alarms import ALARMS, COMPOSITES, ESSENTIAL
from .marked_parts import insert_between

_MAPPING = re.compile(r"^  MonthlyAmounts:\n(?:    .*\n)+", re.MULTILINE)

type Level = Literal["essential", "all"]
LEVELS: tuple[Level, ...] = get_args(Level.__value__)
MODES = ("off", "lambda", "endpoint")
"""Values of ``InferenceMode``."""

BEGIN = "<!-- written by `make alarms`, do not edit -->"
END = "<!-- end of what the alarms cost -->"

CDN_METRICS = 8
"""CloudFront's additional metrics of a distribution, which exist with ``Alarms=all`` (Amazon CloudFront developer
guide, "View CloudFront and edge function metrics")."""

_HOLDS: dict[str, Callable[[str], bool]] = {
    "": lambda _: True,
    "HasAnalysis": lambda mode: mode != "off",
    "HasEndpoint": lambda mode: mode == "endpoint",
    "HasRefine": lambda _: False,
    "HasUrgent": lambda _: False,
    "HasPopular": lambda _: False,
    "HasSimilar": lambda _: False,
    "HasCostLimit": lambda _: False,
}
"""Whether a condition of an alarm holds by ``InferenceMode``, with all other parameters at their defaults."""


@dataclass(frozen=True, slots=True)
class BilledResources:
    """Numbers of metric alarms, of their metrics, of composite alarms, and of CloudFront's additional metrics."""

    alarms: int
    metrics: int
    composites: int
    cdn_metrics: int = 0

    @property
    def amounts(self) -> dict[str, float]:
        """Return the monthly amounts by the names of the price table."""
        found: dict[str, float] = {"alarm-metric-months": self.metrics, "composite-alarm-months": self.composites}
        return found | ({"cdn-metric-months": self.cdn_metrics} if self.cdn_metrics else {})


def count_resources(level: Level, mode: str) -> BilledResources:
    """Return the resources of a deployment with these values of ``Alarms`` and ``InferenceMode``, else the defaults."""

    def exists(alarm: MetricAlarm | CompositeAlarm) -> bool:
        return _HOLDS[alarm.condition](mode) and (level == "all" or alarm.name in ESSENTIAL)

    alarms = [one for one in ALARMS if exists(one)]
    metrics = sum(len(one.metrics) for one in alarms)
    return BilledResources(len(alarms), metrics, sum(map(exists, COMPOSITES)), CDN_METRICS if level == "all" else 0)


def cost_table() -> str:
    """Return the table as Markdown."""
    prices = load_prices()
    lines = [
        "| `Alarms` | `InferenceMode` | alarms | metrics in them | composites | CloudFront's metrics | USD a month |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for level, mode in product(LEVELS, MODES):
        found = count_resources(level, mode)
        usd = sum(prices.cost(found.amounts).values())
        numbers = f"{found.alarms} | {found.metrics} | {found.composites} | {found.cdn_metrics}"
        lines.append(f"| {level} | {mode} | {numbers} | {usd:.2f} |")
    return "\n".join(lines)


def amounts_mapping() -> str:
    """Return the mapping MonthlyAmounts of template.yaml: amounts by ``Alarms`` and ``InferenceMode``."""
    nothing = ", ".join(f'"{mode}": ""' for mode in MODES)
    lines = ["  MonthlyAmounts:", f'    "off": {{ {nothing} }}']
    for level in LEVELS:
        lines.append(f"    {level}:")
        for mode in MODES:
            amounts = ",".join(f"{name}={amount:g}" for name, amount in count_resources(level, mode).amounts.items())
            lines.append(f'      "{mode}": {amounts}')
    return "\n".join(lines) + "\n"


def insert_mapping(template: str) -> str:
    """Return template.yaml with the mapping replaced. ValueError if it has none."""
    found, number = _MAPPING.subn(amounts_mapping(), template)
    if number != 1:
        raise ValueError("template.yaml has no mapping MonthlyAmounts")
    return found


def insert_table(page: str) -> str:
    """Return ``page`` with the table between the marks replaced. ValueError unless each mark is there once."""
    return insert_between(page, BEGIN, END, cost_table() + "\n")
