"""Say which metrics of a stack count for which line of its bill, and add up their amounts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from darkroom_pipeline.operations.cloudwatch import MetricStat, Points
from darkroom_pipeline.operations.cost_check import AMOUNTS_BY_METRIC, STORED_AS, UPLOADS
from darkroom_pipeline.operations.cost_model import (
    EDGE_FUNCTIONS,
    HOURS_A_MONTH,
    Amounts,
    Architecture,
    function_amounts,
    serverless_amounts,
    sum_amounts,
)

GROUPS: Mapping[str, Sequence[str]] = {
    "images": ("transform", "refine", "popular"),
    "uploads": ("upload", "ingest", "expedite", "scene"),
    "analysis": ("infer", "similar"),
}
"""Functions by group; all others are of the group ``operation``."""

CDN_METRICS: Mapping[str, tuple[str, Amounts]] = {
    "Requests": ("CloudFront: requests", {"cdn-requests": 1, "cdn-functions": EDGE_FUNCTIONS}),
    "BytesDownloaded": ("CloudFront: bytes", {"cdn-gb": 1e-9}),
}
TABLE_METRICS: Mapping[str, str] = {
    "ConsumedReadCapacityUnits": "dynamodb-reads",
    "ConsumedWriteCapacityUnits": "dynamodb-writes",
}
QUEUE_METRICS = ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives")
WITHOUT_METRICS: Mapping[str, str] = {"s3-": "S3: requests (estimated)", "events": "EventBridge (estimated)"}
"""Lines of amounts that the monitor estimates from a function's operations, by the start of their names."""

NOT_COUNTED = (
    *("starts of functions, which Lambda bills like renders", "the HTTP API", "Step Functions", "S3 Vectors", "WAF"),
    *("invalidations", "traces", "dashboards", "metrics that the monitor and this command read", "KMS", "extensions"),
    *("free tiers, discounts and flat-rate plans", "taxes"),
)


@dataclass(frozen=True, slots=True)
class BilledFunction:
    """A function by its name in metrics, and what its price depends on."""

    name: str
    lambda_name: str
    memory_mb: float
    architecture: Architecture
    log_group: str


@dataclass(frozen=True, slots=True)
class Resources:
    """What a stack has. ``tables`` are their indexes by table; ``serverless`` is the name of a serverless endpoint.

    ``monthly`` are amounts of a whole month by line; None for a line whose amounts could not be read.
    """

    namespace: str
    functions: Sequence[BilledFunction] = ()
    distributions: Sequence[str] = ()
    buckets: Sequence[str] = ()
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    queues: Sequence[str] = ()
    presets: int = 0
    serverless: str = ""
    monthly: Mapping[str, Amounts | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A metric of a line, of the resource ``of``, and the amounts of one unit.

    A resource is missing if none of its metrics has data: objects are of one storage class. A metric that ``is_level``,
    such as stored bytes, counts by its average over the time.
    """

    line: str
    of: str
    metric: MetricStat
    each: Amounts
    is_level: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """The time from ``begin_s`` to ``now_s`` of a month that ends at ``end_s`` (Unix time)."""

    begin_s: float
    now_s: float
    end_s: float

    @property
    def months(self) -> float:
        """Return the time so far in months of 730 hours."""
        return (self.now_s - self.begin_s) / 3600 / HOURS_A_MONTH

    @property
    def factor(self) -> float:
        """Return what the time so far is multiplied by for the end of the month."""
        return (self.end_s - self.begin_s) / (self.now_s - self.begin_s)


@dataclass(frozen=True, slots=True)
class Usage:
    """The amounts of a line so far; None if nothing of it is known. ``missing`` are resources without data."""

    line: str
    amounts: Amounts | None
    missing: Sequence[str] = ()


def list_sources(found: Resources) -> Iterator[Source]:
    """Yield the metrics of a stack that are multiplied by prices."""
    for one in found.functions:
        yield from _list_function(one)
    for distribution in found.distributions:
        dimensions = {"DistributionId": distribution, "Region": "Global"}
        for metric, (line, each) in CDN_METRICS.items():
            yield Source(line, distribution, MetricStat("AWS/CloudFront", metric, dimensions), each)
    for bucket in found.buckets:
        for kind in STORED_AS:
            stored = MetricStat("AWS/S3", "BucketSizeBytes", {"BucketName": bucket, "StorageType": kind}, "Average")
            yield Source("S3: storage", bucket, stored, {"s3-gb-months": 1e-9}, is_level=True)
    yield from _list_estimates(found)
    for table, indexes in found.tables.items():
        for more in ({}, *({"GlobalSecondaryIndexName": index} for index in indexes)):
            for metric, name in TABLE_METRICS.items():
                consumed = MetricStat("AWS/DynamoDB", metric, {"TableName": table, **more})
                yield Source(f"DynamoDB: {name[9:]}", "/".join((table, *more.values())), consumed, {name: 1})
    for queue in found.queues:
        for metric in QUEUE_METRICS:
            counted = MetricStat("AWS/SQS", metric, {"QueueName": queue})
            yield Source("SQS (by messages)", queue, counted, {"sqs-requests": 1})
    if endpoint := found.serverless:
        latency = MetricStat("AWS/SageMaker", "ModelLatency", {"EndpointName": endpoint, "VariantName": "main"})
        yield Source("SageMaker: calls", endpoint, latency, serverless_amounts(1e-6))


def _list_function(one: BilledFunction) -> Iterator[Source]:
    group = next((group for group, names in GROUPS.items() if one.name in names), "operation")
    for metric, ms, requests in (("Duration", 1, 0), ("Invocations", 0, 1)):
        used = MetricStat("AWS/Lambda", metric, {"FunctionName": one.lambda_name})
        amounts = function_amounts(one.memory_mb, ms, requests, one.architecture)
        yield Source(f"Lambda: {group}", one.name, used, {name: value for name, value in amounts.items() if value})
    logged = MetricStat("AWS/Logs", "IncomingBytes", {"LogGroupName": one.log_group})
    yield Source("CloudWatch: logs", one.name, logged, {"log-gb": 1e-9})


def _list_estimates(found: Resources) -> Iterator[Source]:
    """Yield the operations whose requests to S3 and EventBridge no metric counts."""
    deployed = {one.name for one in found.functions}
    for (function, metric), amounts in AMOUNTS_BY_METRIC.items():
        if function not in deployed:
            continue
        more = {"s3-puts": found.presets} if (function, metric) == UPLOADS else {}
        each, own = sum_amounts(amounts, more), {"service": function, "function": function}
        for start, line in WITHOUT_METRICS.items():
            if chosen := {name: value for name, value in each.items() if name.startswith(start)}:
                yield Source(line, f"{function} {metric}", MetricStat(found.namespace, metric, own), chosen)


def add_up(
    sources: Sequence[Source], points: Sequence[Points], monthly: Mapping[str, Amounts | None], period: Period
) -> list[Usage]:
    """Return the lines of a bill. ``points`` are those of each source by day."""
    known: dict[str, dict[str, list[Amounts]]] = {}
    for source, values in zip(sources, points, strict=True):
        amounts = known.setdefault(source.line, {}).setdefault(source.of, [])
        if values:
            total = sum(value for _, value in values)
            amount = total / len(values) * period.months if source.is_level else total
            amounts.append({name: amount * each for name, each in source.each.items()})
    lines = [_add_resources(line, resources) for line, resources in known.items()]
    for line, fixed in monthly.items():
        lines.append(Usage(line, fixed and {name: amount * period.months for name, amount in fixed.items()}))
    return sorted(lines, key=lambda one: one.line)


def _add_resources(line: str, resources: Mapping[str, Sequence[Amounts]]) -> Usage:
    every = [amounts for one in resources.values() for amounts in one]
    missing = tuple(name for name, amounts in resources.items() if not amounts)
    return Usage(line, sum_amounts(*every) if every else None, missing)
