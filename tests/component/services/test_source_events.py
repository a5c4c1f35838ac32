"""Changes in a source bucket: real events of S3, in any order, leave derivatives of the present master alone."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from darkroom.image_keys import ObjectNames
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.purge.stale_derivatives import SECOND, DerivativePurge, purge_message
from tests.waiting import wait_until

from .purge_harness import MAX_RECEIVES, PurgeEnvironment, lasting

TEMPLATE = Path(__file__).parents[3] / "stacks" / "source.yaml"
NAMES = ObjectNames("originals/", encoded=False)
_numbers = itertools.count(1)


class Source:
    """A bucket whose masters have the keys' own names, and the resources of a purge."""

    def __init__(self, environment: dict[str, str], prefix: str = NAMES.prefix) -> None:
        self.env = PurgeEnvironment.build(environment)
        self.names = ObjectNames(prefix, encoded=False)
        self.bucket = S3Bucket(self.env.s3, f"photos-{next(_numbers)}")
        self.env.s3.create_bucket(Bucket=self.bucket.bucket)
        self.cloudformation = create_client("cloudformation", environment)

    def put(self, key: str, body: bytes) -> str:
        """Put a master as its owner does; its entity tag."""
        return self.bucket.put(self.names.name(key), body, headers={}, metadata={})

    def deploy(self) -> None:
        """Deploy the template of the events for this bucket, and queues."""
        name = f"source-{self.bucket.bucket}"
        queues = {logical_id: {"Type": "AWS::SQS::Queue"} for logical_id in ("Queue", "DeadLetters")}  # terms: allow
        self.create_stack(f"{name}-queues", json.dumps({"Resources": queues}), {})
        found = self.cloudformation.describe_stack_resources(StackName=f"{name}-queues")["StackResources"]
        urls = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
        self.env.queue = Queue(self.env.sqs, urls["Queue"])
        self.env.dead_letters = Queue(self.env.sqs, urls["DeadLetters"])  # terms: allow
        values = {"StackName": "site", "SourceBucket": self.bucket.bucket, "SourcePrefix": self.names.prefix}
        values |= {f"{logical_id}Url": url for logical_id, url in urls.items()}
        values |= {f"{logical_id}Arn": self.arn(url) for logical_id, url in urls.items()}
        self.create_stack(name, TEMPLATE.read_text(encoding="utf-8"), values)

    def create_stack(self, name: str, template: str, values: dict[str, str]) -> None:
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
        self.cloudformation.create_stack(StackName=name, TemplateBody=template, Parameters=parameters)
        self.cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})

    def arn(self, url: str) -> str:
        answer = self.env.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def notify_by_eventbridge(self) -> None:
        self.env.s3.put_bucket_notification_configuration(
            Bucket=self.bucket.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )

    def notify_the_queue(self) -> None:
        configuration = {
            "QueueArn": self.arn(self.env.queue.url),
            "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": self.names.prefix}]}},
        }
        self.env.s3.put_bucket_notification_configuration(
            Bucket=self.bucket.bucket, NotificationConfiguration={"QueueConfigurations": [configuration]}
        )

    def event(self, key: str, detail_type: str = "Object Created", sequencer: str = "0A") -> dict[str, Any]:
        """An event as EventBridge sends it to the queue."""
        return {
            "source": "aws.s3",
            "detail-type": detail_type,
            "detail": {
                "bucket": {"name": self.bucket.bucket},
                "object": {"key": self.names.name(key), "sequencer": sequencer},
            },
        }

    def work_off(self, records: list[dict[str, Any]]) -> None:
        """Process ``records``; none may fail."""
        service = self.env.purging(purge=DerivativePurge(self.env.media, self.bucket, self.names))
        failed = service.run(records, lasting)
        assert failed == []
        self.env.done(records, failed)


@pytest.fixture(params=["eventbridge", "notification"])
def live(request: pytest.FixtureRequest, aws_environment: dict[str, str]) -> Source:
    """A bucket with events."""
    source = Source(aws_environment)
    source.deploy()
    source.notify_by_eventbridge() if request.param == "eventbridge" else source.notify_the_queue()
    return source


def receive(source: Source) -> list[dict[str, Any]]:
    """The next messages."""
    return wait_until(source.env.receive, "an event has arrived")


def test_an_overwrite_and_a_deletion_purge_store_and_cdn(live: Source) -> None:
    key = "trips/Rom é+1.jpg"
    old = live.put(key, b"old")
    live.work_off(receive(live))
    live.env.sqs.purge_queue(QueueUrl=live.env.queue.url)
    live.env.derivative(key, "w-320.webp", old)
    new = live.put(key, b"new")
    live.work_off(receive(live))
    assert live.env.keys() == []
    assert live.env.cdn.invalidations()[-1] == ["/trips/Rom.-20.-C3A9.-2B1.jpg/_/*", "/trips/Rom.-20.-C3A9.-2B1.jpg"]
    kept = live.env.derivative(key, "w-320.webp", new)
    live.work_off(receive(live))  # the second pass
    assert live.env.keys() == [kept]
    live.bucket.delete(live.names.name(key))
    live.work_off(receive(live))
    assert live.env.keys() == []


@pytest.mark.slow
def test_objects_beside_the_prefix_send_no_event(live: Source) -> None:
    live.bucket.put("drafts/a.jpg", b"draft", headers={}, metadata={})
    live.put("b.jpg", b"photo")
    while not live.env.cdn.invalidations():  # the event by which S3 tests a notification may come alone
        live.work_off(receive(live))
    assert live.env.cdn.invalidations() == [["/b.jpg/_/*", "/b.jpg"]]
    assert live.env.buried() == []


def test_without_a_prefix_the_whole_bucket_is_the_source(aws_environment: dict[str, str]) -> None:
    source = Source(aws_environment, prefix="")
    source.deploy()
    source.notify_by_eventbridge()
    old = source.put("a.jpg", b"old")
    receive(source)
    source.put("a.jpg", b"new")
    source.env.derivative("a.jpg", "w-320.webp", old)
    source.work_off(receive(source))
    assert source.env.keys() == []


@pytest.fixture
def source(aws_environment: dict[str, str]) -> Source:
    """A bucket whose events a test sends itself, in its own order."""
    return Source(aws_environment)


def deliver(source: Source, *events: dict[str, Any]) -> None:
    """Deliver events one after the other, each in a batch of its own."""
    for event in events:
        source.env.queue.send(event)
        [record] = [one for one in source.env.receive() if json.loads(one["body"]) == event]
        source.work_off([record])


CREATED, DELETED = "Object Created", "Object Deleted"


@pytest.mark.slow
@pytest.mark.parametrize(
    "order",
    [
        [(CREATED, "0A"), (CREATED, "0B")],
        [(CREATED, "0B"), (CREATED, "0A")],
        [(CREATED, "0B"), (CREATED, "0B"), (CREATED, "0A"), (CREATED, "0B")],
        [(DELETED, "0A"), (CREATED, "0B")],
        [(CREATED, "0B"), (DELETED, "0A")],
        [(DELETED, "0A")],
    ],
)
def test_derivatives_of_the_present_master_survive_every_order(source: Source, order: list[tuple[str, str]]) -> None:
    old = source.put("a.jpg", b"old")
    source.env.derivative("a.jpg", "w-320.webp", old)
    source.bucket.delete(source.names.name("a.jpg"))
    kept = source.env.derivative("a.jpg", "w-640.webp", source.put("a.jpg", b"new"))
    deliver(source, *(source.event("a.jpg", kind, sequencer) for kind, sequencer in order))
    assert source.env.keys() == [kept]


@pytest.mark.parametrize("order", [[(DELETED, "0B"), (CREATED, "0A")], [(CREATED, "0A"), (DELETED, "0B")]])
def test_a_late_creation_brings_nothing_of_a_deleted_master_back(source: Source, order: list[tuple[str, str]]) -> None:
    source.env.derivative("a.jpg", "w-320.webp", source.put("a.jpg", b"old"))
    source.bucket.delete(source.names.name("a.jpg"))
    deliver(source, *(source.event("a.jpg", kind, sequencer) for kind, sequencer in order))
    assert source.env.keys() == []


def test_events_of_a_batch_are_one_purge_of_each_key(source: Source) -> None:
    records = [source.event(key, sequencer=one) for key in ("a.jpg", "b.jpg") for one in ("0A", "0B", "0C")]
    for one in [*records, purge_message("a.jpg")]:
        source.env.queue.send(one)
    source.work_off(source.env.receive())
    [paths] = source.env.cdn.invalidations()
    assert sorted(paths) == ["/a.jpg", "/a.jpg/_/*", "/b.jpg", "/b.jpg/_/*"]
    follow = [json.loads(record["body"]) for record in source.env.receive()]
    assert sorted(follow, key=str) == [purge_message("a.jpg", SECOND), purge_message("b.jpg", SECOND)]


def test_other_buckets_folders_and_names_without_a_key_are_ignored(source: Source) -> None:
    other = source.event("a.jpg")
    other["detail"]["bucket"]["name"] = "another"
    beside = source.event("a.jpg")
    beside["detail"]["object"]["key"] = "drafts/a.jpg"
    deliver(source, other, beside, source.event("trips/"), source.event(""), source.event("a/_/b.jpg"))
    assert (source.env.cdn.invalidations(), source.env.receive(), source.env.buried()) == ([], [], [])


def test_a_failed_event_is_retried_and_ends_in_the_dlq_as_a_purge_of_its_key(source: Source) -> None:
    source.env.queue.send(source.event("a.jpg"))
    [record] = source.env.receive()
    source.env.s3.delete_bucket(Bucket=source.env.media.bucket)
    service = source.env.purging(purge=DerivativePurge(source.env.media, source.bucket, source.names))
    assert service.run([record], lasting) == [record["messageId"]]
    record["attributes"]["ApproximateReceiveCount"] = str(MAX_RECEIVES)
    assert service.run([record], lasting) == []
    [letter] = source.env.buried()
    assert json.loads(letter["body"]) == purge_message("a.jpg")


def test_an_event_without_a_name_goes_to_the_dlq_at_once(source: Source) -> None:
    broken = source.event("a.jpg")
    del broken["detail"]["object"]["key"]
    deliver(source, broken)
    [letter] = source.env.buried()
    assert (json.loads(letter["body"]), letter["code"]) == (broken, "bad-upload")
