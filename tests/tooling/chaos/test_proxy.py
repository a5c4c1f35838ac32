"""Tests of the proxy in front of a real MiniStack: injected faults, and requests forwarded nevertheless."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chaos.faults import Fault, FaultDecision
from chaos.parse_aws_request import AwsRequest
from chaos.proxy import Proxy, Timing, scale_delays
from tests.waiting import HANG_S

_names = itertools.count(1)


@dataclass
class ScriptedPlan:
    """A plan with the given decisions for the next requests."""

    faults: list[Fault] = field(default_factory=list)
    aws_request: list[AwsRequest] = field(default_factory=list)

    def decide(self, aws_request: AwsRequest) -> FaultDecision:
        self.aws_request.append(aws_request)
        return FaultDecision(self.faults.pop(0), 0.5) if self.faults else FaultDecision(None, 0.0)


@dataclass
class Between:
    """The proxy, and boto3 clients whose calls are one request each unless they may retry."""

    proxy: Proxy
    url: str
    plan: ScriptedPlan
    loop: asyncio.AbstractEventLoop
    due: asyncio.Event

    def client(self, service: str, attempts: int = 1) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="worker",
            aws_secret_access_key="test",
            config=Config(
                s3={"addressing_style": "path"},
                retries={"mode": "standard", "total_max_attempts": attempts},
                read_timeout=HANG_S,
            ),
        )

    def settle(self) -> None:
        """Forward late requests."""
        self.loop.call_soon_threadsafe(self.due.set)
        asyncio.run_coroutine_threadsafe(self.proxy.settle(), self.loop).result()


@pytest.fixture
def between(ministack_url: str) -> Iterator[Between]:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    plan = ScriptedPlan()
    due = asyncio.Event()

    async def wait_until_due(_: float) -> None:
        await due.wait()

    pace = Timing(hang_s=0.2, slow_s=0.1)
    proxy = Proxy(ministack_url, plan, pace, pause=wait_until_due)  # type: ignore[arg-type]
    url = asyncio.run_coroutine_threadsafe(proxy.start(), loop).result()
    yield Between(proxy, url, plan, loop, due)
    loop.call_soon_threadsafe(due.set)
    asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture
def s3(between: Between) -> Any:
    return between.client("s3")


@pytest.fixture
def bucket(s3: Any, between: Between) -> str:
    name = f"proxied-{next(_names)}"
    s3.create_bucket(Bucket=name)
    between.plan.aws_request.clear()
    return name


def keys(s3: Any, bucket: str) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


BODY = bytes(range(256)) * 1000


@pytest.mark.parametrize("key", ["photo.jpg", "zoë/ein bild 100%+&=.jpg", "folder/_/a.jpg", "a//b"])
def test_without_faults_nothing_changes(s3: Any, bucket: str, key: str) -> None:
    put = s3.put_object(Bucket=bucket, Key=key, Body=BODY, Metadata={"name": "value"})
    found = s3.get_object(Bucket=bucket, Key=key)
    assert (found["Body"].read(), found["Metadata"], found["ETag"]) == (BODY, {"name": "value"}, put["ETag"])
    head = s3.head_object(Bucket=bucket, Key=key)
    assert head["ContentLength"] == len(BODY)
    assert keys(s3, bucket) == [key]
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="another")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    assert keys(s3, bucket) == []


NOT_CARRIED_OUT = [Fault.ERROR, Fault.THROTTLE, Fault.RESET, Fault.HANG]
CARRIED_OUT = [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.HANG_AFTER]


@pytest.mark.parametrize("fault", [*NOT_CARRIED_OUT, *CARRIED_OUT, Fault.LATE])
def test_a_fault_is_seen_by_the_client_and_carried_out_or_not(
    s3: Any, bucket: str, between: Between, fault: Fault
) -> None:
    between.plan.faults = [fault]
    with pytest.raises((ClientError, BotoCoreError)):
        s3.put_object(Bucket=bucket, Key="photo.jpg", Body=BODY)
    between.settle()
    assert keys(s3, bucket) == ([] if fault in NOT_CARRIED_OUT else ["photo.jpg"])
    assert between.proxy.injected == {("s3", fault): 1}


def test_a_late_request_comes_after_those_that_follow_it(s3: Any, bucket: str, between: Between) -> None:
    between.plan.faults = [Fault.LATE]
    with pytest.raises(BotoCoreError):
        s3.put_object(Bucket=bucket, Key="photo.jpg", Body=b"old")
    s3.put_object(Bucket=bucket, Key="photo.jpg", Body=b"new")
    between.settle()
    assert s3.get_object(Bucket=bucket, Key="photo.jpg")["Body"].read() == b"old"


def test_a_truncated_response_is_detected(s3: Any, bucket: str, between: Between) -> None:
    s3.put_object(Bucket=bucket, Key="photo.jpg", Body=BODY)
    between.plan.faults = [Fault.CUT]
    with pytest.raises((BotoCoreError, ConnectionError)):
        s3.get_object(Bucket=bucket, Key="photo.jpg")["Body"].read()


def test_a_slow_answer_is_an_answer(s3: Any, bucket: str, between: Between) -> None:
    between.plan.faults = [Fault.SLOW]
    s3.put_object(Bucket=bucket, Key="photo.jpg", Body=BODY)
    assert keys(s3, bucket) == ["photo.jpg"]


CALLS: dict[str, Callable[[Any], object]] = {
    "s3": lambda client: client.list_buckets(),
    "dynamodb": lambda client: client.get_item(TableName="index", Key={"pk": {"S": "image#a"}}),
    "sqs": lambda client: client.send_message(QueueUrl="http://localhost/000000000000/q", MessageBody="x"),
    "events": lambda client: client.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}]),
    "cloudfront": lambda client: client.list_distributions(),
}


@pytest.mark.slow
@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.THROTTLE])
def test_every_service_says_no_such_that_its_client_tries_again(between: Between, service: str, fault: Fault) -> None:
    between.plan.faults = [fault, fault]
    with pytest.raises(ClientError) as raised:
        CALLS[service](between.client(service, attempts=2))
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(between.plan.aws_request) == 2


@pytest.mark.parametrize(
    ("service", "operation", "about"),
    [
        ("s3", "GET", "/"),
        ("dynamodb", "GetItem", "index image#a"),
        ("sqs", "SendMessage", "q"),
        ("events", "PutEvents", ""),
        ("cloudfront", "GET", "/2020-05-31/distribution"),
    ],
)
def test_a_request_is_identified_by_worker_and_object(
    between: Between, service: str, operation: str, about: str
) -> None:
    between.plan.faults = [Fault.ERROR]
    with pytest.raises(ClientError):
        CALLS[service](between.client(service))
    assert between.plan.aws_request == [AwsRequest("worker", service, operation, about)]


def test_what_is_done_to_an_object_has_a_name(s3: Any, bucket: str, between: Between) -> None:
    s3.put_object(Bucket=bucket, Key="a.jpg", Body=b"a")
    s3.copy_object(Bucket=bucket, Key="b.jpg", CopySource={"Bucket": bucket, "Key": "a.jpg"})
    s3.list_objects_v2(Bucket=bucket, Prefix="b")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a.jpg"}]})
    assert [(aws_request.operation, aws_request.about) for aws_request in between.plan.aws_request] == [
        ("PUT", f"/{bucket}/a.jpg"),
        ("PUTCopy", f"/{bucket}/b.jpg"),
        ("GET?list-type", f"/{bucket}"),
        ("POST?delete", f"/{bucket}"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"DelaySeconds": 60, "MessageBody": "x"}', b'{"DelaySeconds": 6, "MessageBody": "x"}'),
        (b'{"Entries": [{"DelaySeconds": 5}, {}]}', b'{"Entries": [{"DelaySeconds": 1}, {}]}'),
        (b'{"VisibilityTimeout": 0}', b'{"VisibilityTimeout": 0}'),
        (b'{"VisibilityTimeout": 600}', b'{"VisibilityTimeout": 30}'),
        (b"not json", b"not json"),
    ],
)
def test_waiting_times_are_squeezed(body: bytes, expected: bytes) -> None:
    assert scale_delays(body, Timing(delays=0.1, retries=0.05).factors()) == expected
