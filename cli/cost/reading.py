"""Read the resources of a stack and their metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cli.deployment import QUEUES, Deployment
from darkroom.services.live_settings import LiveSettings
from darkroom_analysis.mlops.endpoint_variants import EndpointVariants
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics, Points
from darkroom_pipeline.operations.cost_check import DAY_S, parse_amounts
from darkroom_pipeline.operations.cost_model import HOURS_A_MONTH, SERVERLESS, Amounts, endpoint_amounts

from .usage import BilledFunction, Period, Resources, Source

CDN_REGION = "us-east-1"
BUCKETS = ("MediaBucketName", "UploadsBucketName", "QuarantineBucketName", "AuditBucketName", "AccessLogBucketName")
TABLES = ("IndexTableName", "VectorTableName")


def find_period(deployment: Deployment, now_s: float) -> Period:
    """Return this month in UTC until now, from the creation of the stack if that is later."""
    month = datetime.fromtimestamp(now_s, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    found = deployment.client("cloudformation").describe_stacks(StackName=deployment.name)["Stacks"][0]
    begin_s = max(month.timestamp(), found["CreationTime"].timestamp())
    return Period(min(begin_s, now_s - 1), now_s, following.timestamp())


def read_resources(deployment: Deployment) -> Resources:
    """Read what the stack has. Raises ClientError, Unavailable."""
    found = deployment.read_configurations()
    configurations = {name.removesuffix("Function").lower(): one for name, one in found.items()}
    outputs, endpoint = deployment.outputs, deployment.outputs.get("InferEndpointName", "")
    metrics, namespace = CloudWatchMetrics(deployment.client("cloudwatch")), f"Darkroom/{deployment.name}"
    tables = [_describe_table(deployment, outputs[name]) for name in TABLES if name in outputs]
    monthly = _read_monthly(configurations.get("monitor", {}))
    monthly["CloudWatch: custom metrics (of the last 3 hours)"] = {
        "custom-metric-months": metrics.count_active(namespace)
    }
    monthly["DynamoDB: storage"] = {"dynamodb-gb-months": sum(map(_sum_bytes, tables)) / 1e9}
    is_serverless = deployment.parameters.get("EndpointInstanceType") == SERVERLESS
    if endpoint and not is_serverless:
        monthly["SageMaker: instances (those of now)"] = _read_instances(deployment, endpoint)
    return Resources(
        namespace,
        [_to_function(name, one) for name, one in configurations.items()],
        [outputs[name] for name in ("DistributionId", "DropInDistributionId") if name in outputs],
        [outputs[name] for name in BUCKETS if name in outputs],
        {one["TableName"]: [i["IndexName"] for i in one.get("GlobalSecondaryIndexes", ())] for one in tables},
        [outputs[name].rpartition("/")[2] for name in QUEUES.values() if name in outputs],
        len(LiveSettings(deployment.bucket("MediaBucketName").read).current().presets.at_ingest),
        endpoint if is_serverless else "",
        monthly,
    )


def _to_function(name: str, found: Mapping[str, Any]) -> BilledFunction:
    deployed = found["FunctionName"]
    group = found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{deployed}"
    return BilledFunction(name, deployed, found["MemorySize"], found.get("Architectures", ["x86_64"])[0], group)


def _read_monthly(monitor: Mapping[str, Any]) -> dict[str, Amounts | None]:
    """Read the fixed amounts that the template gives the monitor."""
    text = monitor.get("Environment", {}).get("Variables", {}).get("MONTHLY_AMOUNTS")
    found = None if text is None else parse_amounts(text)
    secrets = None if found is None else {name: found.pop(name) for name in [*found] if name.startswith("secret-")}
    return {"Secrets Manager": secrets, "CloudWatch: alarms": found}


def _describe_table(deployment: Deployment, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = deployment.client("dynamodb").describe_table(TableName=name)["Table"]
    return found


def _sum_bytes(table: Mapping[str, Any]) -> float:
    indexes = sum(one.get("IndexSizeBytes", 0) for one in table.get("GlobalSecondaryIndexes", ()))
    return float(table["TableSizeBytes"] + indexes)


def _read_instances(deployment: Deployment, endpoint: str) -> Amounts:
    variants = EndpointVariants(deployment.client("sagemaker"), endpoint).read_all()
    count = sum(one.instances for one in variants.values())
    return endpoint_amounts(deployment.parameters["EndpointInstanceType"], count, HOURS_A_MONTH)


def read_points(deployment: Deployment, sources: list[Source], period: Period) -> list[Points]:
    """Read the points of each source by day. Raises Unavailable."""
    begin_s, end_s = period.begin_s // DAY_S * DAY_S, period.now_s // DAY_S * DAY_S + DAY_S
    by_region: dict[str, list[int]] = {"": [], CDN_REGION: []}
    for number, source in enumerate(sources):
        by_region[CDN_REGION if source.metric.namespace == "AWS/CloudFront" else ""].append(number)
    found: dict[int, Points] = {}
    for region, numbers in by_region.items():
        metrics = CloudWatchMetrics(deployment.client("cloudwatch", region=region))
        queries = [sources[number].metric for number in numbers]
        found |= zip(numbers, metrics.get_points(queries, begin_s=begin_s, end_s=end_s, period_s=DAY_S), strict=True)
    return [found[number] for number in range(len(sources))]
