"""Alarms that page for a single failure, beside those of the objectives."""

from __future__ import annotations

from collections.abc import Iterator

from .alarm import MetricAlarm
from .measures import Formula, lambda_metric, own_metric, queue_metric

ERASURE_WITHIN_S = 2 * 3600
"""Longest wait of an erasure for the CDN: some hundred keys at once use an hour of CloudFront's quota."""


def page_alarms() -> Iterator[MetricAlarm]:
    """Yield the alarms that page by themselves."""
    yield MetricAlarm(
        name="erasure-incomplete",
        description="An erasure failed, or has waited for the CDN for more than two hours",
        noticed="data of a person who asked for its erasure may still be stored or served",
        runbook="data-request",
        metrics=(
            own_metric("failed_forget", "forget", "ErasuresFailed"),
            own_metric("failed_purge", "purge", "ErasuresFailed"),
            lambda_metric("errors_forget", "ForgetFunction", "Errors"),
            own_metric("pending", "purge", "ErasurePendingSeconds", stat="Maximum"),
            queue_metric("waiting", "purge", "ApproximateAgeOfOldestMessage"),
        ),
        # Lambda's errors of forget are timeouts and crashes; refused requests return a document.
        # The age of the queue covers a purge function that does not run, and so publishes nothing.
        formulas=(
            Formula(
                "incomplete",
                "failed and late erasures",
                "FILL(failed_forget, 0) + FILL(failed_purge, 0) + FILL(errors_forget, 0) + "
                f"IF(FILL(pending, 0) > {ERASURE_WITHIN_S} OR FILL(waiting, 0) > {ERASURE_WITHIN_S}, 1, 0)",
            ),
        ),
        threshold=0,
        period_s=300,
        action="page",
    )
