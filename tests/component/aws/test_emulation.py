"""Extensions of MiniStack: metrics from logs, traces through events, queue gauges."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.roles import create_function
from tests.waiting import HANG_S, wait_until

CODE = """
import json, os, time

METRICS = [{"Name": "Seen", "Unit": "Count"}]
DIRECTIVE = {"Namespace": "Emulation", "Dimensions": [["service"], ["service", "kind"]], "Metrics": METRICS}

def handler(event, context):
    counted = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [DIRECTIVE]}
    print(json.dumps({"_aws": counted, "service": event.get("service", "none"), "kind": "a", "Seen": [1, 2]}))
    if event.get("fail"):
        raise ValueError("no")
    seen = {"environment": os.environ.get("_X_AMZN_TRACE_ID", ""), "headers": event.get("headers", {})}
    return {"statusCode": 200, "body": json.dumps(seen)}
"""


@pytest.fixture(scope="module")
def function(aws: Callable[[str], Any]) -> str:
    """The name of a deployed function that is traced."""
    return create_function(aws, CODE, TracingConfig={"Mode": "Active"})


@pytest.fixture(scope="module")
def url_of_function(aws: Callable[[str], Any], function: str, ministack_url: str) -> str:
    """Where it answers over HTTP."""
    url = aws("lambda").create_function_url_config(FunctionName=function, AuthType="NONE")["FunctionUrl"]
    return f"{ministack_url}/_aws/lambda-url/{url.split('//')[1].split('.')[0]}/any"


@pytest.fixture
def total(aws: Callable[[str], Any]) -> Callable[..., float]:
    """The sum of a metric's last quarter of an hour."""

    def read(namespace: str, name: str, stat: str = "Sum", **dimensions: str) -> float:
        metric = {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": one, "Value": value} for one, value in dimensions.items()],
        }
        now = datetime.now(UTC)
        [found] = aws("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}],
            StartTime=now - timedelta(minutes=15),
            EndTime=now + timedelta(minutes=1),
        )["MetricDataResults"]
        return float(sum(found["Values"]))

    return read


def test_metrics_in_a_functions_log_are_metrics(
    aws: Callable[[str], Any], function: str, total: Callable[..., float]
) -> None:
    service = uuid4().hex
    aws("lambda").invoke(FunctionName=function, Payload=json.dumps({"service": service}))
    assert wait_until(lambda: total("Emulation", "Seen", service=service), "it is counted") == 3
    assert total("Emulation", "Seen", "SampleCount", service=service, kind="a") == 2
    assert total("Emulation", "Seen", service=service, kind="b") == 0


def test_invocations_are_counted_once_and_failed_ones_as_errors(
    aws: Callable[[str], Any], function: str, total: Callable[..., float]
) -> None:
    before = total("AWS/Lambda", "Invocations", FunctionName=function)
    errors = total("AWS/Lambda", "Errors", FunctionName=function)
    aws("lambda").invoke(FunctionName=function, Payload=b"{}")
    aws("lambda").invoke(FunctionName=function, Payload=b'{"fail": true}')
    assert total("AWS/Lambda", "Invocations", FunctionName=function) == before + 2
    assert total("AWS/Lambda", "Errors", FunctionName=function) == errors + 1


def test_a_function_url_passes_the_trace_of_its_event(url_of_function: str) -> None:
    with urllib.request.urlopen(url_of_function, timeout=HANG_S) as answer:
        seen, answered = json.load(answer), answer.headers["X-Amzn-Trace-Id"]
    parts = dict(part.split("=") for part in seen["environment"].split(";"))
    assert seen["headers"]["x-amzn-trace-id"] == f"Root={parts['Root']}"
    assert parts["Sampled"] == "1"
    assert parts["Root"] in answered
    assert "Sampled=1" in answered


@pytest.mark.slow
def test_a_throttled_caller_gets_the_error_of_lambda(
    aws: Callable[[str], Any], function: str, url_of_function: str
) -> None:
    functions = aws("lambda")
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url_of_function, timeout=HANG_S)
        with pytest.raises(functions.exceptions.TooManyRequestsException):
            functions.invoke(FunctionName=function, Payload=b"{}")
    finally:
        functions.delete_function_concurrency(FunctionName=function)
    answer = refused.value
    assert answer.code == 429
    assert answer.headers["x-amzn-ErrorType"] == "TooManyRequestsException"
    assert "Retry-After" not in answer.headers
    assert json.load(answer) == {
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "Type": "User",
        "message": "Rate Exceeded.",
    }


def test_an_event_of_s3_has_the_version_of_its_object(aws: Callable[[str], Any]) -> None:
    name = f"emulated-{uuid4().hex[:8]}"
    queue, s3 = aws("sqs").create_queue(QueueName=name)["QueueUrl"], aws("s3")
    arn = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket=name)
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}, SkipDestinationValidation=True
    )
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}}}
    aws("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
    aws("events").put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])

    def receive() -> Any:
        [one] = aws("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
        return json.loads(one["Body"])["detail"]["object"].get("version-id")

    s3.put_object(Bucket=name, Key="a")
    assert receive() is None, "the bucket has no versions"
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for call in (s3.put_object, s3.delete_object):
        made = call(Bucket=name, Key="a")["VersionId"]
        assert receive() == made


def test_copies_have_the_default_retention(aws: Callable[[str], Any]) -> None:
    name, s3 = f"emulated-{uuid4().hex[:8]}", aws("s3")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    rule: Any = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    s3.put_object(Bucket=name, Key="a", Body=b"a")
    s3.copy_object(Bucket=name, Key="b", CopySource={"Bucket": name, "Key": "a"})
    upload: Any = {"Bucket": name, "Key": "c", "UploadId": s3.create_multipart_upload(Bucket=name, Key="c")["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"c")["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    for key in "abc":
        version_id = s3.head_object(Bucket=name, Key=key)["VersionId"]
        assert s3.get_object_retention(Bucket=name, Key=key)["Retention"]["Mode"] == "GOVERNANCE"
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=name, Key=key, VersionId=version_id)


def test_an_events_trace_is_that_of_the_message_that_it_becomes(aws: Callable[[str], Any]) -> None:
    name = f"emulated-{uuid4().hex[:8]}"
    queue = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    bus = aws("events")
    bus.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    arn = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    header = "Root=1-6b0716ff-788b30a2f7c087b7858fd052;Parent=aaaaaaaaaaaaaaaa;Sampled=1"
    answer = bus.put_events(
        Entries=[
            {"Source": name, "DetailType": "a", "Detail": "{}", "TraceHeader": header},
            {"Source": name, "DetailType": "b", "Detail": "{}"},
        ]
    )
    assert answer["FailedEntryCount"] == 0
    assert len({entry["EventId"] for entry in answer["Entries"]}) == 2
    messages = aws("sqs").receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["AWSTraceHeader"], WaitTimeSeconds=5
    )["Messages"]
    traced = {
        json.loads(one["Body"])["detail-type"]: one.get("Attributes", {}).get("AWSTraceHeader") for one in messages
    }
    assert traced == {"a": header, "b": None}


@pytest.mark.slow
def test_how_full_a_queue_is_is_a_metric(aws: Callable[[str], Any], total: Callable[..., float]) -> None:
    name = f"emulated-{uuid4().hex[:8]}"
    queue = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    for body in "abc":
        aws("sqs").send_message(QueueUrl=queue, MessageBody=body)
    visible = "ApproximateNumberOfMessagesVisible"
    wait_until(lambda: total("AWS/SQS", visible, "Maximum", QueueName=name) >= 3, "messages are measured")
    wait_until(lambda: total("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName=name) > 0, "so is age")


LOOP = """
import json, os, sys

sys.path.append(os.environ["PACKAGES"])
import boto3

sqs = boto3.client("sqs", endpoint_url=os.environ["ENDPOINT"])

def handler(event, context):
    for record in event["Records"]:
        left = json.loads(record["body"])["left"]
        if left:
            sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps({"left": left - 1}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("times", "recursive_loop", "invocations", "dead"),
    [(15, "Terminate", 16, []), (16, "Terminate", 16, [0]), (40, "Terminate", 16, [24]), (40, "Allow", 41, [])],
)
def test_a_loop_through_a_queue_is_stopped_after_sixteen_invocations(
    aws: Callable[[str], Any],
    ministack_url: str,
    total: Callable[..., float],
    times: int,
    recursive_loop: str,
    invocations: int,
    dead: list[int],
) -> None:
    name, sqs, functions = f"loop-{uuid4().hex[:8]}", aws("sqs"), aws("lambda")

    def queue(name: str, **attributes: str) -> tuple[str, str]:
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    dead_url, dead_arn = queue(f"{name}-dead")
    url, arn = queue(name, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 3}))
    packages = str(Path(boto3.__file__).parents[1])
    variables = {"QUEUE": url, "ENDPOINT": ministack_url, "PACKAGES": packages, "PYTHONPATH": packages}
    name = create_function(aws, LOOP, [("sqs:*", "*")], Environment={"Variables": variables})
    functions.put_function_recursion_config(FunctionName=name, RecursiveLoop=recursive_loop)
    mapping = functions.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=1)["UUID"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"left": times}))
    try:
        wait_until(lambda: total("AWS/Lambda", "Invocations", FunctionName=name) == invocations, "the loop runs")
        died = [message for _ in dead for message in _letters(sqs, dead_url)]
        assert [json.loads(message["Body"])["left"] for message in died] == dead
        dropped = total("AWS/Lambda", "RecursiveInvocationsDropped", FunctionName=name)
        assert dropped == len(dead)
    finally:
        functions.delete_event_source_mapping(UUID=mapping)


def _letters(sqs: Any, url: str) -> list[dict[str, Any]]:
    """The messages of a queue, once there are some."""
    return list(wait_until(lambda: sqs.receive_message(QueueUrl=url).get("Messages", []), "a message dies"))
