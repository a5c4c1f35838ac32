"""Price an idle deployment a month by level of alarms, compared with AWS's solution.

Nothing is measured on AWS: a test counts the monitor's metrics; the duration of its runs is an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping

from darkroom_pipeline.operations.cost_model import HOURS_A_MONTH, PriceTable, function_amounts, sum_amounts
from observability.alarm_cost import LEVELS, count_resources

from ..page import Markers

MARKERS = Markers("<!-- priced by `make alarms`, do not edit -->", "<!-- end of what it costs idle -->")

RUNS = HOURS_A_MONTH * 60 / 5
"""Runs of the monitor: every five minutes (schedule of ``MonitorFunction``)."""

SWEEPS = HOURS_A_MONTH
MEMORY_MB, RUN_MS = 512, 1500.0
"""Memory of the monitor and the sweep function, and the assumed billed duration of a run."""

METRICS_PUBLISHED: Mapping[str, int] = {"monitor": 1, "sweep": 0}
"""Custom metrics with data in each hour, by function."""

METRICS_READ = 32
"""Metrics that an hourly run of the monitor in a default deployment reads with GetMetricData; other runs read none."""

QUEUES = 3
"""Queues that Lambda polls in a default deployment: ingest, review and purge."""

RECEIVES = 5 * 3 * 60 * HOURS_A_MONTH
"""Of an idle queue: Lambda starts with five pollers, and a long poll lasts up to 20 s (AWS Lambda developer guide,
"Using Lambda with Amazon SQS"; Amazon SQS developer guide, "Amazon SQS short and long polling")."""

LOG_BYTES = 3000
"""Log bytes of a run, with its metrics and Lambda's lines."""

type Amounts = dict[str, float]
PER_RUN: Mapping[str, Amounts] = {
    "custom metrics": {"custom-metric-months": sum(METRICS_PUBLISHED.values())},
    "reading metrics (GetMetricData)": {"metrics-requested": METRICS_READ * HOURS_A_MONTH},
    "monitor and sweep": function_amounts(MEMORY_MB, RUN_MS * (RUNS + SWEEPS), RUNS + SWEEPS),
    "polling of idle queues": {"sqs-requests": QUEUES * RECEIVES},
    "signing keys (Secrets Manager)": {"secret-months": 1},
    "logs and traces": {"log-gb": LOG_BYTES * (RUNS + SWEEPS) / 1e9, "traces": RUNS + SWEEPS},
}
"""Costs that do not depend on the level of alarms."""


def monthly_amounts() -> Mapping[str, Mapping[str, Amounts]]:
    """Return the charged amounts by level of alarms and by row, without inference."""
    found: dict[str, dict[str, Amounts]] = {"off": {"alarms": {}, "CloudFront's additional metrics": {}, **PER_RUN}}
    for level in LEVELS:
        amounts = count_resources(level, "off").amounts
        cdn = {name: amount for name, amount in amounts.items() if name.startswith("cdn-")}
        alarms = {name: amount for name, amount in amounts.items() if name not in cdn}
        found[level] = {"alarms": alarms, "CloudFront's additional metrics": cdn, **PER_RUN}
    return found


def table(prices: PriceTable) -> str:
    """Format US dollars a month as Markdown."""
    found = monthly_amounts()
    lines = [
        "| USD a month | " + " | ".join(f"`Alarms={level}`" for level in found) + " | AWS's own |",
        "| --- |" + " ---: |" * (len(found) + 1),
    ]
    for row in found["off"]:
        values = (sum(prices.cost(level[row]).values()) for level in found.values())
        lines.append(f"| {row} | " + " | ".join(f"{value:.2f}" for value in values) + " | 0.00 |")
    totals = (sum(prices.cost(sum_amounts(*level.values())).values()) for level in found.values())
    lines.append("| **together** | " + " | ".join(f"**{total:.2f}**" for total in totals) + " | **0.00** |")
    return "\n".join(lines)
