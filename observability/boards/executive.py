"""The executive dashboard: volume, cost, success and model quality."""

from __future__ import annotations

from darkroom_analysis.mlops.golden_set import EVALUATED_TASKS
from darkroom_pipeline.operations.cost_model import HOURS_A_MONTH, PARTS

from ..measures import Formula, Measure, Metric, lambda_metric, own_dimensions, own_metric
from ..panel import USER_FACING, Dashboard, Panel


def _per_minute(function: str, label: str) -> tuple[Measure, ...]:
    return (
        own_metric(function, function, "Requests", label=label),
        Formula(f"{function}_rate", label, f"60 * {function} / PERIOD({function})"),
    )


def _success(functions: tuple[str, ...]) -> tuple[Measure, ...]:
    """Return the success rate; crashed invocations, which publish nothing themselves, count as failed."""
    counted = [
        own_metric(f"{kind}_{function}", function, metric, label=f"{metric} of {function}")
        for function in functions
        for kind, metric in (("requests", "Requests"), ("faults", "Faults"))
    ]
    died = [
        lambda_metric(f"died_{function}", f"{function.capitalize()}Function", "Errors", label=f"crashes of {function}")
        for function in functions
    ]
    requests, faults, deaths = (
        " + ".join(f"FILL({kind}_{function}, 0)" for function in functions) for kind in ("requests", "faults", "died")
    )
    success = f"100 * (1 - ({faults} + {deaths}) / ({requests} + {deaths}))"
    return (*counted, *died, Formula("success", "success", success))


FIXED = ("endpoint", "monitoring", "storage")
"""Parts of the cost that do not depend on the number of images served."""

VARIABLE = tuple(part for part in PARTS if part not in FIXED)


def _hourly(part: str) -> Metric:
    """Return the cost of an hour of ``part``, or of all for ``total``."""
    own = own_dimensions("monitor") if part == "total" else own_dimensions("monitor", part=part)
    return Metric(part, f"{part} per hour", "CostPerHour", own, stat="Average", shown=False)


WEEK_S = 7 * 86_400
TREND_WEEKS = 12
"""A quarter. CloudWatch keeps points of an hour for 455 days (Amazon CloudWatch user guide, "Metrics retention")."""


def _quality(**figures: str) -> tuple[Measure, ...]:
    """Return the metrics for each labelled task; ``figures`` has the label of each metric."""
    return tuple(
        Metric(
            f"{task}_{metric.lower()}",
            f"{task}: {label}",
            metric,
            own_dimensions("monitor", task=task, variant="{variant}"),
            stat="Average",
        )
        for task in EVALUATED_TASKS
        for metric, label in figures.items()
    )


EXECUTIVE = Dashboard(
    "executive",
    "Executive",
    (
        Panel(
            id="volume",
            section="Volume",
            title="Images per minute",
            kind="line",
            unit="images/min",
            about="Cache misses, uploads and analyses",
            series=(
                *_per_minute("transform", "cache misses"),
                *_per_minute("ingest", "uploads"),
                *_per_minute("infer", "analyses"),
            ),
        ),
        Panel(
            id="cost",
            section="Cost",
            title="Variable cost per thousand images",
            kind="line",
            unit="USD",
            about="Compute, requests and delivery by the price table: what a thousand more images cost",
            series=(
                own_metric("each", "monitor", "CostPerImage", label="per image", stat="Average"),
                _hourly("total"),
                *(_hourly(part) for part in VARIABLE),
                Formula("thousand", "per thousand images", f"1000 * each * ({' + '.join(VARIABLE)}) / total"),
            ),
        ),
        Panel(
            id="fixed-cost",
            section="Cost",
            title="Fixed cost a month",
            kind="line",
            unit="USD",
            about="Endpoint, monitoring and storage by the price table, at the present rate: what a month without a "
            "request costs",
            series=(
                *(_hourly(part) for part in FIXED),
                *(Formula(f"{part}_month", part, f"{HOURS_A_MONTH:.0f} * {part}") for part in FIXED),
            ),
        ),
        Panel(
            id="success",
            section="Success in 24 hours",
            title="Success in 24 hours",
            kind="number",
            unit="%",
            about="Requests, uploads and analyses without a server error. A valid refusal counts as a success",
            series=_success(USER_FACING),
            target=99.9,
            window_s=86_400,
        ),
        Panel(
            id="quality",
            section="Model quality",
            title="Precision and recall on the golden set",
            kind="bars",
            unit="%",
            about="Of the models in use, on labelled images; at least 90 %",
            series=_quality(Precision="precision", Recall="recall"),
            target=90,
            window_s=172_800,
        ),
        Panel(
            id="false-alarms",
            section="Model quality",
            title="False positive rate on the golden set",
            kind="bars",
            unit="%",
            about="Images labelled as negative in which a model finds something, of all such images; at most 10 %",
            series=_quality(FalsePositiveRate="false positives"),
            target=10,
            window_s=172_800,
        ),
        Panel(
            id="accuracy",
            section="Model quality",
            title="Accuracy by week",
            kind="line",
            unit="%",
            about="Precision and recall on the golden set, on average of each week of a quarter; at least 90 %",
            series=_quality(Precision="precision", Recall="recall"),
            target=90,
            window_s=TREND_WEEKS * WEEK_S,
            period_s=WEEK_S,
        ),
    ),
)
