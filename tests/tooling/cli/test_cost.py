"""The command `cost` reads the resources of a stack and their metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.cost.reading import find_period
from cli.framework import Call, Selection
from darkroom_pipeline.operations.cost_model import function_amounts, load_prices
from tests import commands


def test_metrics_of_the_month_are_priced(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws("s3").create_bucket(Bucket="month")
    key = [{"AttributeName": "pk", "KeyType": "HASH"}]
    aws("dynamodb").create_table(
        TableName="month",
        KeySchema=key,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    outputs = {"MediaBucketName": "month", "IndexTableName": "month", "DistributionId": "EMONTH"}
    command = commands.local(aws_environment, tmp_path, capsys, outputs, functions=("TransformFunction",))
    deployment = Call(Selection(is_local=True, state=tmp_path)).deployment
    name = deployment.functions["TransformFunction"]
    figures = {
        ("AWS/Lambda", "Duration", "FunctionName", name): 5000,
        ("AWS/Lambda", "Invocations", "FunctionName", name): 10,
        ("AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", "month"): 7,
    }
    for (namespace, metric, dimension, value), amount in figures.items():
        named = [{"Name": dimension, "Value": value}]
        datum = {"MetricName": metric, "Dimensions": named, "Timestamp": time.time(), "Value": amount}
        aws("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])
    done = command.run("cost", "--json")
    assert done.code == 0, done.err
    found = {one["line"]: one for one in done.document["lines"]}
    expected = load_prices().cost(function_amounts(128, 5000, 10, "x86_64"))
    assert found["Lambda: images"]["usd"] == pytest.approx(sum(expected.values()))
    assert found["DynamoDB: reads"]["amounts"] == {"dynamodb-reads": 7}
    assert found["CloudFront: requests"] == {
        "line": "CloudFront: requests",
        "usd": None,
        "month_usd": None,
        "amounts": {},
        "missing": ["EMONTH"],
    }
    assert found["CloudWatch: alarms"]["usd"] is None, "there is no monitor, which has the number of alarms"

    december = datetime(2099, 12, 5, 6, tzinfo=UTC)
    period = find_period(deployment, december.timestamp())
    ends = (datetime.fromtimestamp(at, UTC).isoformat() for at in (period.begin_s, period.end_s))
    assert [*ends] == ["2099-12-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"]
