"""Check logs, metrics, alarms, dashboards, queues and access logs."""

from __future__ import annotations

import json
import time
from typing import Any

from botocore.exceptions import ClientError

from ..failures import CheckSkipped, require
from ..model import Check
from ..world import World

LOGGED_WITHIN_S = 120.0
METRICS_WITHIN_S = 300.0
"""CloudWatch lists a new metric within some minutes."""

TRANSFORM_LOG_AGE_S = 3600


def has_alarms(world: World) -> None:
    """Raise CheckSkipped if the stack has no alarms."""
    if world.parameters.get("Alarms", "") in ("off", "false", ""):
        raise CheckSkipped("Alarms is off")


def read_logs(world: World) -> str:
    """Wait for a log line of the transform function."""
    assert world.image
    world.get(world.signed(f"{world.path(world.image)}?w=336"))
    configuration = world.client("lambda").get_function_configuration(
        FunctionName=world.outputs["TransformFunctionName"]
    )
    group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}"
    since_ms = int((time.time() - TRANSFORM_LOG_AGE_S) * 1000)

    def look() -> dict[str, Any] | None:
        found = world.client("logs").filter_log_events(logGroupName=group, startTime=since_ms, limit=50)
        lines = [line for event in found["events"] if (line := _document(event["message"])).get("service")]
        return lines[0] if lines else None

    line = world.wait(look, f"{group} has no JSON line of a service", LOGGED_WITHIN_S)
    return f"{group}: {line['service']}"


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def read_metrics(world: World) -> str:
    """Wait for the metrics of the stack's namespace."""
    namespace = f"Darkroom/{world.stack}"
    assert world.image

    def look() -> list[str] | None:
        found = world.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
        names = sorted({one["MetricName"] for one in found})
        return names if "Requests" in names else None

    names = world.wait(look, f"{namespace} has no metric Requests", METRICS_WITHIN_S)
    return f"{len(names)} metrics in {namespace}"


def read_alarms(world: World) -> str:
    """Read the state of each alarm."""
    has_alarms(world)
    states: dict[str, list[str]] = {}
    pages = (
        world.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{world.stack}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    )
    for page in pages:
        for one in (*page["MetricAlarms"], *page["CompositeAlarms"]):
            states.setdefault(one["StateValue"], []).append(one["AlarmName"])
    require(states, "there are no alarms")
    require("ALARM" not in states, f"in the state ALARM: {', '.join(states.get('ALARM', []))}")
    return ", ".join(f"{len(names)} {state}" for state, names in sorted(states.items()))


def read_dashboards(world: World) -> str:
    """Read each dashboard."""
    has_alarms(world)
    cloudwatch, prefix = world.client("cloudwatch"), f"{world.stack}-{world.region}-"
    names = [one["DashboardName"] for one in cloudwatch.list_dashboards(DashboardNamePrefix=prefix)["DashboardEntries"]]
    require(names, "there are no dashboards")
    widgets = sum(
        len(json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])["widgets"]) for name in names
    )
    return f"{', '.join(names)}: {widgets} widgets"


def read_queues(world: World) -> str:
    """Count DLQ messages."""
    urls = {name: url for name, url in world.outputs.items() if name.endswith("DeadLettersUrl")}
    counts = {
        name.removesuffix("Url"): int(
            world.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])[
                "Attributes"
            ]["ApproximateNumberOfMessages"]
        )
        for name, url in urls.items()
    }
    waiting = {name: count for name, count in counts.items() if count}
    require(not waiting, f"dead letters: {waiting}")
    return f"{len(counts)} empty"


def allow_recursion(world: World) -> str:
    """Read the setting of each function that may send to a queue that it consumes."""
    functions = world.client("lambda")
    found = {}
    for name in ("PurgeFunctionName", "IngestFunctionName", "InferFunctionName"):
        if function := world.outputs.get(name):
            try:
                found[name.removesuffix("FunctionName")] = functions.get_function_recursion_config(
                    FunctionName=function
                )["RecursiveLoop"]
            except ClientError as error:
                if world.is_local:
                    raise CheckSkipped("the local stack has no GetFunctionRecursionConfig") from error
                raise
    wrong = {name: value for name, value in found.items() if value != "Allow"}
    require(not wrong, f"Lambda stops messages of these after 16 hops: {wrong}")
    return ", ".join(found)


def find_access_logs(world: World) -> str:
    """Find files of CloudFront's access log."""
    bucket = world.outputs["AccessLogBucketName"]
    if world.client("s3").list_objects_v2(Bucket=bucket, MaxKeys=1)["KeyCount"] == 0:
        raise CheckSkipped(
            "there is no file yet: CloudFront delivers within an hour; run it again with --only access-logs"
        )
    return f"files in {bucket}"


CHECKS = (
    Check("logs", "functions log JSON to their log groups", "LoggingConfig of the function, and its role", read_logs),
    Check(
        "metrics",
        "CloudWatch makes metrics of the functions' logs",
        "lines with _aws in the log of transform",
        read_metrics,
    ),
    Check(
        "alarms",
        "alarms exist, with metric math that CloudWatch accepts, and none is in the state ALARM",
        "StateReason of the alarm",
        read_alarms,
    ),
    Check(
        "dashboards",
        "CloudWatch accepts the dashboards",
        "the dashboard's page, which names faulty widgets",
        read_dashboards,
    ),
    Check("dead-letters", "no message has been given up", "docs/guides/runbooks/redrive.md", read_queues),
    Check(
        "recursion",
        "Lambda does not stop messages that functions send to queues of their own",
        "RecursiveLoop of the function",
        allow_recursion,
        ("PurgeFunctionName",),
    ),
    Check(
        "access-logs",
        "CloudFront may write to the bucket of access logs",
        "the bucket's ACL and ownership controls; the distribution's logging",
        find_access_logs,
        ("AccessLogBucketName",),
    ),
)
