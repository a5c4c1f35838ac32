"""MiniStack refuses what AWS's models exclude, and its requests are recorded with what the models do not allow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from darkroom.errors import Unavailable
from darkroom_pipeline.aws.edge_store import EdgeStore
from local import tool_venvs
from local.ministack import MiniStack
from local.paths import Ports, StackPaths
from local.progress import Progress
from tests.ports import free_port

ROLE = "arn:aws:iam::000000000000:role/service"

type Aws = Callable[[str], Any]

REFUSED: dict[str, tuple[str, str, dict[str, Any], str, str]] = {
    "S3, XML with members in headers": (
        "s3",
        "put_object",
        {"Bucket": "validated", "Key": "k", "Body": b"x", "StorageClass": "COLD"},
        "InvalidArgument",
        "StorageClass",
    ),
    "S3, a member in the body": (
        "s3",
        "put_bucket_versioning",
        {"Bucket": "validated", "VersioningConfiguration": {"Status": "On"}},
        "InvalidArgument",
        "VersioningConfiguration.Status",
    ),
    "CloudFront, XML": (
        "cloudfront",
        "create_function",
        {
            "Name": "a b",
            "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
            "FunctionCode": b"function handler(event) { return event.request; }",
        },
        "InvalidArgument",
        "Name",
    ),
    "Lambda, JSON": (
        "lambda",
        "create_function",
        {"FunctionName": "f", "Role": ROLE, "Code": {"ZipFile": b"x"}, "MemorySize": 65_536},
        "ValidationException",
        "MemorySize",
    ),
    "Lambda, a member in the path": ("lambda", "get_function", {"FunctionName": "a b"}, "ValidationException", "F"),
    "IAM, a query": (
        "iam",
        "create_role",
        {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"},
        "ValidationError",
        "RoleName",
    ),
    "CloudWatch": (
        "cloudwatch",
        "put_metric_data",
        {"Namespace": ":darkroom", "MetricData": [{"MetricName": "m", "Value": 1}]},
        "ValidationError",
        "Namespace",
    ),
    "CloudWatch Logs": (
        "logs",
        "create_log_group",
        {"logGroupName": "a b"},
        "InvalidParameterException",
        "logGroupName",
    ),
    "Secrets Manager": (
        "secretsmanager",
        "create_secret",
        {"Name": "s", "SecretString": "x" * 65_537},
        "ValidationException",
        "SecretString",
    ),
    "Step Functions": (
        "stepfunctions",
        "start_execution",
        {"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m", "name": "n" * 81},
        "ValidationException",
        "name",
    ),
    "EventBridge": (
        "events",
        "put_events",
        {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}] * 11},
        "ValidationException",
        "Entries",
    ),
}


@pytest.fixture(scope="module")
def unchecked(aws: Aws) -> Aws:
    """Clients that send what botocore would refuse itself."""
    aws("s3").create_bucket(Bucket="validated")
    endpoint = aws("s3").meta.endpoint_url

    def client(service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )

    return client


@pytest.mark.parametrize(("service", "operation", "parameters", "code", "member"), REFUSED.values(), ids=REFUSED)
def test_a_request_outside_of_the_model_is_refused(
    unchecked: Aws, service: str, operation: str, parameters: dict[str, Any], code: str, member: str
) -> None:
    with pytest.raises(ClientError) as raised:
        getattr(unchecked(service), operation)(**parameters)
    error = raised.value.response["Error"]
    assert error["Code"] == code
    assert "1 validation error detected: Value" in error["Message"]
    assert f"at '{member}" in error["Message"]
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_content_is_stored_as_it_was_sent(unchecked: Aws) -> None:
    key, content = "a%20b/ü+?x\u0001.jpg", bytes(range(256)) * 4
    s3 = unchecked("s3")
    s3.put_object(Bucket="validated", Key=key, Body=content, Metadata={"Name": "x"}, Tagging="a=b")
    assert s3.get_object(Bucket="validated", Key=key)["Body"].read() == content
    assert s3.get_object(Bucket="validated", Key=key, Range="bytes=250-260")["Body"].read() == content[250:261]


def test_an_arn_in_a_path_is_one_member(unchecked: Aws) -> None:
    """Key-value stores have their ARN, which has a slash, in the middle of the path."""
    store = unchecked("cloudfront").create_key_value_store(Name="validated")["KeyValueStore"]["ARN"]
    values = EdgeStore(store, Credentials("test", "test"), unchecked("cloudfront").meta.endpoint_url)
    values.put({"a/b": "c"})
    assert values.read() == {"a/b": "c"}
    with pytest.raises(Unavailable) as raised:
        values.put({"k" * 1025: "c"})
    assert "at 'Puts[0].Key' failed to satisfy constraint" in str(raised.value.__cause__)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """The lines that a MiniStack wrote of five requests."""
    asyncio.run(tool_venvs.ensure(Progress()))
    paths, ports = StackPaths(tmp_path_factory.mktemp("recorded")), Ports(cdn=free_port(), aws=free_port())
    ministack = MiniStack(paths, ports)
    asyncio.run(ministack.start())
    options: dict[str, Any] = {"endpoint_url": ports.aws_url, "region_name": "us-east-1"}
    options |= {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    sqs, lambdas = boto3.client("sqs", **options), boto3.client("lambda", **options)
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    for number in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody=f"message {number}")
    with pytest.raises(ClientError):
        lambdas.create_function(FunctionName="f", Role=ROLE, Code={"ZipFile": bytes(9)}, Timeout=10**9)
    boto3.client("dynamodb", **options).create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    asyncio.run(ministack.stop(grace_s=0))
    yield [json.loads(line) for line in Path(paths.requests).read_text().splitlines()]


def test_requests_are_recorded_with_their_parameters(record: list[dict[str, Any]]) -> None:
    [sent] = [line for line in record if line["operation"] == "sqs.SendMessage"]
    assert sent["parameters"]["MessageBody"] == "message 0"
    assert (sent["role"], sent["refused"], sent["response"]) == ("", [], [])


def test_what_is_refused_is_recorded(record: list[dict[str, Any]]) -> None:
    [refused] = [line for line in record if line["operation"] == "lambda.CreateFunction"]
    assert refused["parameters"]["Code"] == {"ZipFile": "<9 bytes>"}
    [reason] = refused["refused"]
    assert reason.startswith("Value '1000000000' at 'Timeout' failed to satisfy constraint")


def test_what_the_model_does_not_allow_in_a_response_is_recorded(record: list[dict[str, Any]]) -> None:
    """MiniStack 1.5.33 returns a throughput of 0; DynamoDB's is at least 1 (API reference, "WarmThroughput")."""
    [created] = [line for line in record if line["operation"] == "dynamodb.CreateTable"]
    assert any("at 'TableDescription.WarmThroughput.ReadUnitsPerSecond'" in one for one in created["response"])
