"""For who pays: how much, how well, and for how much."""

from __future__ import annotations

from ..measures import Formula, Measure, Metric, own_dimensions
from ..panel import LABELLED_TASKS, USER_FACING, Dashboard, Panel


def _per_minute(function: str, label: str) -> tuple[Measure, ...]:
    return (
        Metric(function, label, "Requests", own_dimensions(function), shown=False),
        Formula(f"{function}_rate", label, f"60 * {function} / PERIOD({function})"),
    )


def _success(functions: tuple[str, ...]) -> tuple[Measure, ...]:
    """What died counts as well: such an invocation could not count itself."""
    counted = [
        Metric(f"{kind}_{function}", f"{metric} of {function}", metric, own_dimensions(function), shown=False)
        for function in functions
        for kind, metric in (("requests", "Requests"), ("faults", "Faults"))
    ]
    died = [
        Metric(
            f"died_{function}",
            f"{function} that died",
            "Errors",
            {"FunctionName": f"{{{function.capitalize()}Function}}"},
            namespace="AWS/Lambda",
            shown=False,
        )
        for function in functions
    ]
    requests, faults, deaths = (
        " + ".join(f"FILL({kind}_{function}, 0)" for function in functions) for kind in ("requests", "faults", "died")
    )
    success = f"100 * (1 - ({faults} + {deaths}) / ({requests} + {deaths}))"
    return (*counted, *died, Formula("success", "success", success))


def _quality(**figures: str) -> tuple[Measure, ...]:
    """``figures``: what each metric is called, for every task that people label."""
    return tuple(
        Metric(
            f"{task}_{metric.lower()}",
            f"{task}: {label}",
            metric,
            own_dimensions("monitor", task=task, variant="{variant}"),
            stat="Average",
        )
        for task in LABELLED_TASKS
        for metric, label in figures.items()
    )


EXECUTIVE = Dashboard(
    "executive",
    "Executive",
    (
        Panel(
            id="volume",
            section="Volume",
            title="Pictures a minute",
            kind="line",
            unit="pictures/min",
            about="Pictures that were rendered, taken in, and looked at by models",
            series=(
                *_per_minute("transform", "asked for, beyond the CDN"),
                *_per_minute("ingest", "uploaded"),
                *_per_minute("infer", "looked at"),
            ),
        ),
        Panel(
            id="cost",
            section="Cost per picture",
            title="Cost of a thousand pictures",
            kind="line",
            unit="USD",
            about="Compute, requests, storage and the endpoint, by the price table, for each thousand pictures served",
            series=(
                Metric("cost", "a picture", "CostPerPicture", own_dimensions("monitor"), stat="Average", shown=False),
                Formula("thousand", "a thousand pictures", "1000 * cost"),
            ),
        ),
        Panel(
            id="success",
            section="Success in 24 hours",
            title="Success in 24 hours",
            kind="number",
            unit="%",
            about="Requests, uploads and analyses that did not fail on our side. What was rightly refused counts "
            "as a success",
            series=_success(USER_FACING),
            target=99.9,
            window_s=86_400,
        ),
        Panel(
            id="quality",
            section="Model quality",
            title="Models against the golden set",
            kind="bars",
            unit="%",
            about="Precision and recall of the models in use, on pictures that people have labelled; at least 80 %",
            series=_quality(Precision="precision", Recall="recall"),
            target=80,
            window_s=172_800,
        ),
        Panel(
            id="false-alarms",
            section="Model quality",
            title="False alarms on the golden set",
            kind="bars",
            unit="%",
            about="Pictures in which a model finds what people say is not there, of all such pictures; at most 10 %",
            series=_quality(FalsePositiveRate="false alarms"),
            target=10,
            window_s=172_800,
        ),
    ),
)
