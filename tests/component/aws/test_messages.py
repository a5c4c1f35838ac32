"""Queues and the bus, against MiniStack."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom_pipeline.aws import clients
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.sqs import TRACE_HEADER, Queue

from .faulty import Reply, answering

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sqs(aws_environment: dict[str, str]) -> Any:
    return clients.create_client("sqs", aws_environment)


@pytest.fixture
def queue(sqs: Any) -> Queue:
    return Queue(sqs, sqs.create_queue(QueueName=f"queue-{next(_numbers)}")["QueueUrl"])


def received(sqs: Any, queue: Queue) -> list[Any]:
    """All messages that can be received now, each left in the queue but hidden."""

    def batches() -> Iterator[list[Any]]:
        while found := sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
            VisibilityTimeout=60,
        ).get("Messages"):
            yield found

    return [message for batch in batches() for message in batch]


def test_a_message_is_received_as_it_was_sent(sqs: Any, queue: Queue) -> None:
    body = {"detail": {"object": {"key": "größe \x01\u2028🖼.jpg"}}}
    queue.send(body, attributes={"reason": "damaged"})
    [message] = received(sqs, queue)
    assert json.loads(message["Body"]) == body
    assert message["MessageAttributes"]["reason"]["StringValue"] == "damaged"


def test_a_delayed_message_is_not_there_yet(sqs: Any, queue: Queue) -> None:
    queue.send({"now": False}, delay_s=60)
    queue.send({"now": True})
    assert [json.loads(message["Body"]) for message in received(sqs, queue)] == [{"now": True}]


def test_many_messages_are_sent_in_batches(sqs: Any, queue: Queue) -> None:
    assert queue.send_many({"number": number} for number in range(23)) == 23
    numbers = sorted(json.loads(message["Body"])["number"] for message in received(sqs, queue))
    assert numbers == list(range(23))
    assert queue.send_many([]) == 0


def test_messages_bear_the_trace_that_they_are_sent_in(sqs: Any, queue: Queue) -> None:
    headers = iter([f"{HEADER};Parent=1", f"{HEADER};Parent=2", ""])
    traced = Queue(sqs, queue.url, lambda: next(headers))
    traced.send({"number": 0}, attributes={"reason": "damaged"})
    traced.send_text('{"number": 1}')
    traced.send({"number": 2})
    found = {json.loads(one["Body"])["number"]: one["Attributes"].get(TRACE_HEADER, "") for one in received(sqs, queue)}
    assert found == {0: f"{HEADER};Parent=1", 1: f"{HEADER};Parent=2", 2: ""}


@pytest.mark.parametrize("header", ["", HEADER])
def test_so_does_each_of_a_batch(header: str) -> None:
    """Which MiniStack does not keep."""
    named = {"MessageId": "m", "MD5OfMessageBody": "99914b932bd37a50b983c5e7c90ae93b"}
    answer = {"Successful": [{"Id": "0", **named}, {"Id": "1", **named}], "Failed": []}
    with answering(Reply(200, json.dumps(answer).encode())) as faulty:
        Queue(clients.create_client("sqs", faulty.environment), f"{faulty.url}/0/q", lambda: header).send_many([{}, {}])
    entries = json.loads(faulty.requests[0][2])["Entries"]
    expected = {TRACE_HEADER: {"DataType": "String", "StringValue": header}} if header else {}
    assert [entry["MessageSystemAttributes"] for entry in entries] == [expected] * 2


def test_a_hidden_message_returns_after_its_visibility_timeout(sqs: Any, queue: Queue) -> None:
    queue.send({})
    [message] = received(sqs, queue)
    assert received(sqs, queue) == []
    queue.set_visibility_timeout(message["ReceiptHandle"], 0)
    assert len(received(sqs, queue)) == 1


def test_a_queue_that_is_gone_is_a_fault(sqs: Any, queue: Queue) -> None:
    sqs.delete_queue(QueueUrl=queue.url)
    with pytest.raises(Unavailable):
        queue.send({})


def test_a_message_that_was_not_taken_is_a_fault() -> None:
    answer = {
        "Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "99914b932bd37a50b983c5e7c90ae93b"}],
        "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False}],
    }
    with answering(Reply(200, json.dumps(answer).encode())) as faulty:
        queue = Queue(clients.create_client("sqs", faulty.environment), f"{faulty.url}/0/q")
        with pytest.raises(Unavailable) as caught:
            queue.send_many([{}, {}])
    assert "InternalError" in caught.value.detail


def test_an_event_reaches_its_subscribers(aws: Callable[[str], Any], sqs: Any, queue: Queue) -> None:
    events = aws("events")
    bus = f"announcing-{next(_numbers)}"
    events.create_event_bus(Name=bus)
    pattern = json.dumps({"source": ["darkroom"], "detail-type": ["ImageReady"]})
    events.put_rule(Name=bus, EventBusName=bus, EventPattern=pattern)
    arn = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    announcing = EventBus(events, bus, "pictures")
    announcing.publish("ImageRemoved", {"key": "b"})
    announcing.publish("ImageReady", {"key": "größe.jpg", "width": 3})
    [message] = received(sqs, queue)
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"]) == ("darkroom", "ImageReady")
    assert event["detail"] == {"key": "größe.jpg", "width": 3, "stack": "pictures"}


@pytest.mark.parametrize("header", ["", f"{HEADER};Parent=53995c3f42cd8ad8;Sampled=1"])
def test_an_announcement_is_put_in_its_trace(header: str) -> None:
    """EventBridge refuses a header without characters."""
    answer = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
    with answering(Reply(200, json.dumps(answer).encode())) as faulty:
        EventBus(clients.create_client("events", faulty.environment), "default", "pictures", lambda: header).publish(
            "ImageReady", {}
        )
    [entry] = json.loads(faulty.requests[0][2])["Entries"]
    assert entry.get("TraceHeader") == (header or None)


def test_an_announcement_that_was_not_taken_is_a_fault() -> None:
    answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slower"}]}
    with answering(Reply(200, json.dumps(answer).encode())) as faulty:
        bus = EventBus(clients.create_client("events", faulty.environment), "default", "pictures")
        with pytest.raises(Unavailable) as caught:
            bus.publish("ImageReady", {})
    assert "ThrottlingException" in caught.value.detail
