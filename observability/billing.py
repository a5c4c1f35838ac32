"""What the alarms of each level cost, and the table of it in docs/slo.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from darkroom.watch.cost import load

from .alarm import CompositeAlarm, MetricAlarm
from .alarms import ALARMS, COMPOSITES, ESSENTIAL

type Level = Literal["essential", "all"]
LEVELS: tuple[Level, ...] = get_args(Level.__value__)
MODES = ("off", "lambda", "endpoint")
"""Values of ``InferenceMode``."""

BEGIN = "<!-- written by `make alarms`, do not edit -->"
END = "<!-- end of what the alarms cost -->"

_HOLDS: dict[str, Callable[[str], bool]] = {
    "": lambda _: True,
    "HasAnalysis": lambda mode: mode != "off",
    "HasEndpoint": lambda mode: mode == "endpoint",
    "HasRefine": lambda _: True,
    "HasCostLimit": lambda _: False,
}
"""Whether a condition of an alarm holds by ``InferenceMode``, with all other parameters at their defaults."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Numbers of metric alarms, of the metrics in them, and of composite alarms."""

    alarms: int
    metrics: int
    composites: int

    @property
    def amounts(self) -> dict[str, float]:
        """What CloudWatch charges for in a month, by the names of the price table."""
        return {"alarm-metric-months": self.metrics, "composite-alarm-months": self.composites}


def bill(level: Level, mode: str) -> Bill:
    """What a deployment has with ``Alarms`` and ``InferenceMode`` set so, and all else as by default."""

    def exists(alarm: MetricAlarm | CompositeAlarm) -> bool:
        return _HOLDS[alarm.condition](mode) and (level == "all" or alarm.name in ESSENTIAL)

    alarms = [one for one in ALARMS if exists(one)]
    return Bill(len(alarms), sum(len(one.metrics) for one in alarms), sum(map(exists, COMPOSITES)))


def table() -> str:
    """The table as Markdown."""
    prices = load()
    lines = [
        "| `Alarms` | `InferenceMode` | alarms | metrics in them | composite alarms | USD a month |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for level, mode in product(LEVELS, MODES):
        found = bill(level, mode)
        usd = sum(prices.cost(found.amounts).values())
        lines.append(f"| {level} | {mode} | {found.alarms} | {found.metrics} | {found.composites} | {usd:.2f} |")
    return "\n".join(lines)


def with_table(page: str) -> str:
    """A page with the table between the marks as it is now. ValueError if they are not there, once each."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"
