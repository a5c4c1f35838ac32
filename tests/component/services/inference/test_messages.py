"""The infer function as SQS calls it: outcomes of messages from both queues."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkroom.errors import BadUpload, Unavailable
from darkroom.image_keys import MASTERS
from darkroom_analysis.inference.consumer import InferenceConsumer
from darkroom_pipeline.services.analysis_requests import MAX_ATTEMPTS, AnalysisRequest, RequestKind, parse_request
from local.events import read_events
from tests.component.aws import sagemaker
from tests.component.services.emf_metrics import counted, of
from tests.component.services.functions import Context, Function, load
from tests.images.photographs import jpeg_photo

from .harness import InferEnvironment

MAX_RECEIVES = 3
PHOTO, ABSENT = "samples/coffee.png", "no/such/photo.jpg"


@pytest.fixture
def function(env: InferEnvironment, aws_environment: dict[str, str]) -> Function:
    """As a cold start loads it."""
    return load("infer", aws_environment | env.runtime.environment | variables(env))


def variables(env: InferEnvironment) -> dict[str, str]:
    names = env.names
    return {
        "MEDIA_BUCKET": names["media"],
        "INDEX_TABLE": names["index"],
        "VECTOR_TABLE": names["vectors"],
        "INFER_QUEUE_URL": names["normal"],
        "INFER_PRIORITY_QUEUE_URL": names["priority"],
        "INFER_DLQ_URL": names["dead"],
        "PURGE_QUEUE_URL": names["purges"],
        "INGEST_QUEUE_URL": names["changes"],
        "EVENT_BUS": names["bus"],
        "STACK_NAME": "darkroom",
        "INFERENCE_MODE": "endpoint",
        "ENDPOINT_NAME": sagemaker.NAME,
        "MAX_RECEIVES": str(MAX_RECEIVES),
    }


def build_announcement(detail_type: str, key: str, **further: object) -> dict[str, Any]:
    """Ingest's announcement as EventBridge queues it."""
    [record] = read_events("infer")["removed.json"]["Records"]
    event: dict[str, Any] = json.loads(record["body"])
    return event | {"detail-type": detail_type, "detail": event["detail"] | {"key": key} | further}


def received(env: InferEnvironment, queue: str, body: str, receives: int = 1) -> dict[str, Any]:
    """An SQS event with a message that really is in the queue, so that it can be hidden."""
    sqs, url = env.clients["sqs"], env.names[queue]
    sqs.send_message(QueueUrl=url, MessageBody=body)
    [message] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
    name = url.rpartition("/")[2]
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receives),
                    "SentTimestamp": "1795608000000",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1795608000001",
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{name}",
                "awsRegion": "us-east-1",
            }
        ]
    }


@pytest.mark.parametrize("queue", ["normal", "priority"])
def test_an_event_of_ingest_is_worked_off(env: InferEnvironment, function: Function, queue: str) -> None:
    sequencer = env.master(PHOTO, jpeg_photo())
    body = json.dumps(build_announcement("ImageReady", PHOTO, sequencer=sequencer, priority=queue == "priority"))
    assert function.invoke(received(env, queue, body)) == {"batchItemFailures": []}
    assert env.findings(PHOTO).found
    assert len(env.published()) == 1


@pytest.mark.slow
def test_what_fails_comes_again_later(env: InferEnvironment, function: Function) -> None:
    sequencer = env.master(PHOTO, jpeg_photo())
    env.clients["dynamodb"].delete_table(TableName=env.names["index"])
    event = received(env, "priority", json.dumps(build_announcement("ImageReady", PHOTO, sequencer=sequencer)))
    [record] = event["Records"]
    assert function.invoke(event) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert (env.messages("priority"), env.messages("dead")) == ([], [])


def test_the_last_attempt_sends_it_to_the_dlq_with_its_cause(env: InferEnvironment, function: Function) -> None:
    sequencer = env.master(PHOTO, jpeg_photo())
    env.clients["dynamodb"].delete_table(TableName=env.names["index"])
    body = build_announcement("ImageReady", PHOTO, sequencer=sequencer)
    event = received(env, "normal", json.dumps(body), receives=MAX_RECEIVES)
    assert function.invoke(event) == {"batchItemFailures": []}
    [dead] = env.messages("dead")
    assert dead["detail"] == body["detail"]
    assert dead["attributes"]["code"]["StringValue"] == "unavailable"


def test_a_redriven_message_is_marked_when_it_fails_again(env: InferEnvironment, function: Function) -> None:
    sequencer = env.master(PHOTO, jpeg_photo())
    env.clients["dynamodb"].delete_table(TableName=env.names["index"])
    body = json.dumps(build_announcement("ImageReady", PHOTO, sequencer=sequencer))
    event = received(env, "normal", body, receives=MAX_RECEIVES)
    event["Records"][0]["messageAttributes"] = {
        "redriven": {"stringValue": "2026-11-25T12:00:00+00:00", "dataType": "String"}
    }
    function.invoke(event)
    [dead] = env.messages("dead")
    assert dead["attributes"]["redriven"]["StringValue"] == "2026-11-25T12:00:00+00:00"


def test_an_invalid_message_goes_to_the_dlq_at_once(env: InferEnvironment, function: Function) -> None:
    event = received(env, "normal", json.dumps({"photo": "a.jpg"}))
    assert function.invoke(event) == {"batchItemFailures": []}
    assert env.messages("dead")[0]["attributes"]["code"]["StringValue"] == "bad-upload"


@pytest.mark.slow
@pytest.mark.parametrize("queue", ["normal", "priority"])
def test_without_time_nothing_is_begun_and_the_message_is_back_at_once(
    env: InferEnvironment, function: Function, queue: str
) -> None:
    sequencer = env.master(PHOTO, jpeg_photo())
    body = build_announcement("ImageReady", PHOTO, sequencer=sequencer)
    event = received(env, queue, json.dumps(body))
    context = Context(remaining_ms=int(InferenceConsumer.min_remaining_s * 1000) - 1)
    assert len(function.invoke(event, context)["batchItemFailures"]) == 1
    assert (env.runtime.calls, env.keys("findings/")) == ([], [])
    assert [message["detail"] for message in env.messages(queue)] == [body["detail"]]


DONE = {"ready.json": 1, "urgent.json": 1, "removed.json": 0, "again.json": 1, "unreadable.json": 0}


@pytest.mark.slow
@pytest.mark.parametrize("name", DONE)
def test_the_files_have_the_outcome_of_their_names(env: InferEnvironment, function: Function, name: str) -> None:
    env.media.put(MASTERS.name(PHOTO), jpeg_photo(), headers={}, metadata={})  # as the local stack's samples: by hand
    event = read_events("infer")[name]
    assert function.invoke(event) == {"batchItemFailures": []}
    assert len(env.runtime.calls) == DONE[name]
    assert len(env.messages("dead")) == (name == "unreadable.json")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (build_announcement("ImageReady", "a.jpg"), RequestKind.READY),
        (build_announcement("ImageHeld", "a.jpg"), RequestKind.HELD),
        (build_announcement("ImageHeld", "a.jpg", flagged=False), RequestKind.HELD),
        (build_announcement("ImageHeld", "a.jpg", flagged=True), None),
        (build_announcement("ImageRemoved", ABSENT), RequestKind.REMOVED),
        (build_announcement("ImageRefused", "a.jpg"), None),
        (build_announcement("ImageAnalysed", "a.jpg"), None),
        (build_announcement("ImageReady", "a.jpg") | {"source": "aws.s3"}, None),
    ],
)
def test_events_that_are_followed(event: dict[str, Any], expected: RequestKind | None) -> None:
    request = parse_request(json.dumps(event))
    assert (request and request.kind) == expected


def test_a_request_reads_as_it_was_sent() -> None:
    request = AnalysisRequest(RequestKind.ANALYSE, "trips/Rom 2026.jpg", "A0", 3, again=True)
    assert parse_request(json.dumps(request.message)) == request
    assert parse_request(json.dumps(request.next_attempt().message)) == AnalysisRequest(
        RequestKind.ANALYSE, "trips/Rom 2026.jpg", "A0", 4, again=True
    )


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"source": "darkroom", "detail-type": "ImageReady", "detail": {}}',
     '{"source": "darkroom", "detail-type": "ImageReady", "detail": {"key": "\\ud800"}}',
     '{"source": "darkroom", "detail-type": "Analyse", "detail": {"object": {"key": 3}}}'],
)  # fmt: skip
def test_anything_else_is_refused(body: str) -> None:
    with pytest.raises(BadUpload):
        parse_request(body)


@pytest.mark.slow
def test_each_attempt_is_counted(env: InferEnvironment, function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    sequencer = env.master(PHOTO, jpeg_photo())
    body = json.dumps(build_announcement("ImageReady", PHOTO, sequencer=sequencer))
    function.invoke(received(env, "normal", body))
    good = counted(capsys.readouterr().out)
    assert [of(good, name) for name in ("Requests", "Faults")] == [{"": 1}, {}]
    env.clients["dynamodb"].delete_table(TableName=env.names["index"])
    function.invoke(received(env, "normal", body))
    bad = counted(capsys.readouterr().out)
    assert [of(bad, name) for name in ("Requests", "Faults")] == [{"": 1}, {"": 1}]
    assert of(bad, "Errors") == {"unavailable": 1}


def test_a_request_is_sent_again_as_often_as_it_may() -> None:
    last = AnalysisRequest(RequestKind.ANALYSE, "a.jpg", "A0", MAX_ATTEMPTS - 1)
    assert last.next_attempt().attempt == MAX_ATTEMPTS
    assert last.restart() == AnalysisRequest(RequestKind.ANALYSE, "a.jpg", attempt=MAX_ATTEMPTS, again=True)
    for send_again in (last.next_attempt().next_attempt, last.restart().restart):
        with pytest.raises(Unavailable):
            send_again()
