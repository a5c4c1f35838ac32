"""Tickets about models: overdue quality checks, and the endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from darkroom_analysis.mlops.endpoint_variants import CANARY, MAIN

from .alarm import DAY_S, HOUR_S, LATE_ANALYSIS, NOT_JUDGED, MetricAlarm
from .measures import Formula, Metric, monitor_metric, own_metric

QUALITY_OVERDUE_S = 27 * HOUR_S
"""Age of the last quality check from which it is overdue: variants are checked daily, and a failed check is repeated
hourly, so that three checks have failed by then."""

VARIANTS = (MAIN, CANARY)

IDLE_PERCENT = 5
"""GPU utilisation below which an instance is not needed."""

SLOW_CALL_MS = 5000
"""A quarter of the timeout of a call (``CALL_TIMEOUT_S`` of inference/endpoint_client.py)."""


def quality_alarms() -> Iterator[MetricAlarm]:
    """M5. Each variant is checked once a day, and the monitor publishes the worst value of all tasks and variants.

    A failed check publishes nothing: its data is missing, and the age of the last check grows.
    """
    for metric, name, comparison, limit, stat, noticed in (
        ("Precision", "precision", "under", 90, "Minimum", "more tags and other results are wrong"),
        ("Recall", "recall", "under", 90, "Minimum", "more of what is in images is not found"),
        ("FalsePositiveRate", "false-alarms", "over", 10, "Maximum", "more images wait for a person without need"),
    ):
        yield MetricAlarm(
            name=f"model-{name}",
            description=f"{metric} of a model on the golden set is {comparison} {limit} %",
            noticed=noticed,
            runbook="model-regressed",
            metrics=monitor_metric(metric, stat),
            comparison="under" if comparison == "under" else "over",
            threshold=limit,
            period_s=DAY_S,
            periods=2,
            datapoints=1,
            missing="missing",
            condition="HasEndpoint",
            action="model",
            essential=True,
        )
    yield MetricAlarm(
        name="quality-overdue",
        description=f"No successful quality check of a model variant for {QUALITY_OVERDUE_S // HOUR_S} hours",
        noticed=NOT_JUDGED,
        runbook="model-regressed",
        metrics=monitor_metric("QualityAge", "Maximum"),
        threshold=QUALITY_OVERDUE_S,
        period_s=HOUR_S,
        missing="missing",
        condition="HasEndpoint",
        action="model",
        essential=True,
    )


def _gpu_metrics() -> tuple[Metric, ...]:
    """Return the utilisation of each variant: a promoted canary takes all calls, and its predecessor none."""
    return tuple(
        Metric(
            variant,
            "",
            "GPUUtilization",
            {"EndpointName": "{endpoint}", "VariantName": variant},
            stat="Average",
            namespace="/aws/sagemaker/Endpoints",
            shown=False,
        )
        for variant in VARIANTS
    )


def _gpu_idle_alarm() -> MetricAlarm:
    """Return the alarm on a GPU that is not needed. Instances without one publish no utilisation: 0 is not filled in.

    After a promotion it is the variant without calls: its instances are billed until the next deployment.
    """
    return MetricAlarm(
        name="gpu-idle",
        description=f"GPU utilisation of a variant has been under {IDLE_PERCENT} % for a day; its instances cost by "
        "the hour",
        noticed="nothing; an instance costs money without work",
        runbook="cost-spike",
        metrics=_gpu_metrics(),
        formulas=(Formula("idlest", "idlest variant", f"MIN([{', '.join(VARIANTS)}])"),),
        comparison="under",
        threshold=IDLE_PERCENT,
        period_s=HOUR_S,
        periods=24,
        condition="HasEndpoint",
        essential=True,
    )


def endpoint_alarms() -> Iterator[MetricAlarm]:
    """Yield the alarms on the circuit breaker, slow calls and GPUs."""
    yield MetricAlarm(
        name="breaker-open",
        description="The circuit breaker of the endpoint is open; small models analyse images instead",
        noticed="new images have fewer tags and no text yet, and those that must be redacted are not shown",
        runbook="model-down",
        metrics=(own_metric("value", "infer", "BreakerOpen"),),
        # Published only when it opens: without a 0 the newest point, however old, would prolong the alarm.
        formulas=(Formula("opened", "times opened", "FILL(value, 0)"),),
        threshold=0,
        period_s=300,
        condition="HasEndpoint",
        essential=True,
    )
    yield MetricAlarm(
        name="endpoint-slow",
        description=f"For five minutes a call of the endpoint has taken over {SLOW_CALL_MS // 1000} s on average",
        noticed=LATE_ANALYSIS,
        runbook="model-slow",
        metrics=(own_metric("value", "infer", "InvokeTime", stat="Average", shown=True),),
        threshold=SLOW_CALL_MS,
        period_s=60,
        periods=5,
        missing="notBreaching",  # no image was analysed
        condition="HasEndpoint",
    )
    yield MetricAlarm(  # M10
        name="gpu-busy",
        description="GPU utilisation of a variant has been over 90 % for an hour",
        noticed=LATE_ANALYSIS,
        runbook="queue-backlog",
        metrics=_gpu_metrics(),
        formulas=(Formula("busiest", "busiest variant", f"MAX([{', '.join(f'FILL({one}, 0)' for one in VARIANTS)}])"),),
        threshold=90,
        period_s=300,
        periods=12,
        condition="HasEndpoint",
    )
    yield _gpu_idle_alarm()
