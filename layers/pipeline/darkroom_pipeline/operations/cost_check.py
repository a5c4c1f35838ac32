"""Publish the cost of the last hour, in total and per image, from AWS's metrics and the price table.

Requests that no metric counts (to S3, DynamoDB and the queues) are estimated from the number of operations and the
requests of each. Fixed monthly costs (alarms, secrets) come from the template. Discounts and free tiers are not
included: the bill is lower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from darkroom.aws.telemetry import Observer

from .cloudwatch import MetricStat
from .cost_model import (
    EDGE_FUNCTIONS,
    HOURS_A_MONTH,
    SERVERLESS,
    Amounts,
    Architecture,
    PriceTable,
    endpoint_amounts,
    function_amounts,
    serverless_amounts,
    sum_amounts,
)
from .metrics_reader import MINUTE_S, MetricsReader

HOUR_S, DAY_S = 3600, 86_400

PER_RENDER: Amounts = {"s3-gets": 1, "s3-puts": 1}
PER_UPLOAD: Amounts = {
    "s3-puts": 2,  # the upload and its master
    "s3-gets": 3,
    **{"dynamodb-writes": 6, "dynamodb-reads": 4, "sqs-requests": 3, "events": 1},
}
"""Writes are the lease and the final record, each in an index too. Presets add one PUT each."""

PER_ANALYSIS: Amounts = {
    **{"s3-puts": 1, "s3-gets": 3, "dynamodb-writes": 5, "dynamodb-reads": 6},
    **{"sqs-requests": 3, "events": 1},
}
PER_MISS: Amounts = {"s3-gets": 1}
"""The CDN requests the bucket first."""

UPLOADS = ("ingest", "Requests")

AMOUNTS_BY_METRIC: Mapping[tuple[str, str], Amounts] = {
    ("transform", "Rendered"): PER_RENDER,
    ("transform", "Requests"): PER_MISS,
    UPLOADS: PER_UPLOAD,
    ("infer", "Requests"): PER_ANALYSIS,
}
"""By function and its metric."""

MONITOR = "monitor"

STORED_AS = ("StandardStorage", "IntelligentTieringFAStorage")
"""Storage types with a daily S3 metric."""


@dataclass
class RunCounter:
    """Runs of the monitor in this process."""

    runs: int = 1


@dataclass(frozen=True)
class CostCheck:
    """``instance_count`` returns the instances of ``endpoint``, of ``instance_type``; None without an endpoint.

    ``buckets`` hold images; ``queues`` are those that Lambda polls; ``monthly`` are fixed amounts; ``presets`` is the
    number of presets that are rendered of each upload.
    """

    reader: MetricsReader
    prices: PriceTable
    architecture: Architecture
    buckets: Sequence[str]
    observer: Observer
    instance_type: str = ""
    instance_count: Callable[[], int] | None = None
    presets: int = 0
    queues: Sequence[str] = ()
    monthly: Amounts = field(default_factory=dict)
    counter: RunCounter = field(default_factory=RunCounter)
    endpoint: str = ""

    def run(self, now_s: float) -> Mapping[str, object]:
        """Publish the cost of an hour in total, by part if there was work, and per image if there were requests.

        An idle hour has no parts, because a metric costs for each hour with data. Without a price of an amount there is
        no total: without an endpoint, it would lack most of the cost.
        """
        end_s = now_s // MINUTE_S * MINUTE_S
        requests, delivered = self._cdn_usage(end_s)
        work = self._work_amounts(end_s)
        amounts = sum_amounts(
            self._compute_amounts(end_s),
            work,
            {"cdn-requests": requests, "cdn-functions": EDGE_FUNCTIONS * requests, "cdn-gb": delivered / 1e9},
            self._storage_amounts(end_s),
            self._endpoint_amounts(end_s),
            self._polling_amounts(end_s),
            {name: amount / HOURS_A_MONTH for name, amount in self.monthly.items()},
            self._monitoring_amounts(end_s),
        )
        unpriced = self.prices.without_price(amounts)
        parts = self.prices.cost({name: amount for name, amount in amounts.items() if name not in unpriced})
        if requests or any(work.values()):
            for part, usd in parts.items():
                self.observer.count("CostPerHour", usd, "None", part=part)
        found: dict[str, object] = {"usd_per_hour": {part: round(usd, 9) for part, usd in parts.items()}}
        if unpriced:
            self.observer.log("ERROR", "price unknown", amounts=list(unpriced))
            return found | {"without_price": list(unpriced)}
        total = sum(parts.values())
        self.observer.count("CostPerHour", total, "None")
        if requests:
            self.observer.count("CostPerImage", total / requests, "None")
            found["usd_per_picture"] = round(total / requests, 9)
        return found

    def _cdn_usage(self, end_s: float) -> tuple[float, float]:
        """Return the viewer requests and the bytes delivered."""
        wanted = {"Requests": "Sum", "BytesDownloaded": "Sum"}
        requests, delivered = self.reader.cdn_points(wanted, begin_s=end_s - HOUR_S, end_s=end_s)
        return sum(value for _, value in requests), sum(value for _, value in delivered)

    def _compute_amounts(self, end_s: float) -> dict[str, float]:
        functions = self.reader.functions
        wanted = [(name, metric) for name in functions for metric in ("Duration", "Invocations")]
        totals = self.reader.lambda_totals(wanted, begin_s=end_s - HOUR_S, end_s=end_s)
        return sum_amounts(
            *(
                function_amounts(function.memory_mb, spent_ms, invocations, self.architecture)
                for function, spent_ms, invocations in zip(functions.values(), totals[::2], totals[1::2], strict=True)
            )
        )

    def _work_amounts(self, end_s: float) -> dict[str, float]:
        """Return the requests to other services that the operations of the hour caused."""
        totals = self.reader.own_totals([*AMOUNTS_BY_METRIC], begin_s=end_s - HOUR_S, end_s=end_s)
        each = {**AMOUNTS_BY_METRIC, UPLOADS: sum_amounts(PER_UPLOAD, {"s3-puts": self.presets})}
        return sum_amounts(*(_scale(amounts, count) for amounts, count in zip(each.values(), totals, strict=True)))

    def _storage_amounts(self, end_s: float) -> dict[str, float]:
        """Return the storage by S3's last daily metric, for one hour of a month."""
        figures = [
            MetricStat("AWS/S3", "BucketSizeBytes", {"BucketName": bucket, "StorageType": kind}, "Average")
            for bucket in self.buckets
            for kind in STORED_AS
        ]
        points = self.reader.metrics.get_points(figures, begin_s=end_s - 3 * DAY_S, end_s=end_s, period_s=DAY_S)
        size_bytes = sum(one[-1][1] for one in points if one)
        return {"s3-gb-months": size_bytes / 1e9 / HOURS_A_MONTH}

    def _polling_amounts(self, end_s: float) -> dict[str, float]:
        """Return the empty receives: event source mappings poll idle queues too."""
        figures = [MetricStat("AWS/SQS", "NumberOfEmptyReceives", {"QueueName": name}) for name in self.queues]
        totals = self.reader.metrics.get_totals(figures, begin_s=end_s - HOUR_S, end_s=end_s, period_s=MINUTE_S)
        return {"sqs-requests": sum(totals)}

    def _monitoring_amounts(self, end_s: float) -> dict[str, float]:
        """Return the stack's custom metrics, and the metrics that the monitor requested: an average run times the runs.

        The average is over the runs of this process.
        """
        read = self.reader.metrics.requested + self.reader.global_metrics.requested
        [runs] = self.reader.lambda_totals([(MONITOR, "Invocations")], begin_s=end_s - HOUR_S, end_s=end_s)
        return {
            "custom-metric-months": self.reader.metrics.count_active(self.reader.namespace) / HOURS_A_MONTH,
            "metrics-requested": read / self.counter.runs * runs,
        }

    def _endpoint_amounts(self, end_s: float) -> dict[str, float]:
        if self.instance_count is None:
            return {}
        if self.instance_type != SERVERLESS:
            return endpoint_amounts(self.instance_type, self.instance_count(), 1)
        figure = MetricStat("AWS/SageMaker", "ModelLatency", {"EndpointName": self.endpoint, "VariantName": "main"})
        [spent_us] = self.reader.metrics.get_totals([figure], begin_s=end_s - HOUR_S, end_s=end_s, period_s=MINUTE_S)
        return serverless_amounts(spent_us / 1e6)


def parse_amounts(text: str) -> dict[str, float]:
    """Parse ``alarm-metric-months=81,secret-months=1`` into amounts by name. Raises ValueError."""
    pairs = (one.partition("=") for one in text.split(",") if one)
    return {name: float(amount) for name, _, amount in pairs}


def _scale(amounts: Amounts, count: float) -> dict[str, float]:
    return {name: amount * count for name, amount in amounts.items()}
