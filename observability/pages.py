"""Pages beside those of the objectives: what is promised for every single case, and not for a share of them."""

from __future__ import annotations

from collections.abc import Iterator

from .alarm import MetricAlarm
from .measures import Formula, Metric, own_dimensions

ERASURE_WITHIN_S = 2 * 3600
"""For how long an erasure may wait for the CDN: some hundred keys at once take an hour of CloudFront's quota."""


def page_alarms() -> Iterator[MetricAlarm]:
    """Every alarm that pages by itself."""
    yield MetricAlarm(
        name="erasure-incomplete",
        description="An erasure has failed, or has waited for the CDN for over two hours",
        runbook="data-request",
        metrics=(
            Metric("failed_forget", "", "ErasuresFailed", own_dimensions("forget"), shown=False),
            Metric("failed_purge", "", "ErasuresFailed", own_dimensions("purge"), shown=False),
            Metric(
                "errors_forget", "", "Errors", {"FunctionName": "{ForgetFunction}"}, namespace="AWS/Lambda", shown=False
            ),
            Metric("pending", "", "ErasurePendingSeconds", own_dimensions("purge"), stat="Maximum", shown=False),
            Metric(
                "waiting",
                "",
                "ApproximateAgeOfOldestMessage",
                {"QueueName": "{stack}-purge"},
                stat="Maximum",
                namespace="AWS/SQS",
                shown=False,
            ),
        ),
        # Lambda's errors of forget are timeouts and crashes: a request that it refuses is answered by a document.
        # The age of the queue stands for a purge function that does not run, and so records nothing.
        formulas=(
            Formula(
                "incomplete",
                "erasures that failed or are late",
                "FILL(failed_forget, 0) + FILL(failed_purge, 0) + FILL(errors_forget, 0) + "
                f"IF(FILL(pending, 0) > {ERASURE_WITHIN_S} OR FILL(waiting, 0) > {ERASURE_WITHIN_S}, 1, 0)",
            ),
        ),
        comparison="over",
        threshold=0,
        period_s=300,
        missing="notBreaching",
        action="page",
    )
