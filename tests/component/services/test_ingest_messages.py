"""The ingest function as SQS calls it: the result of a message whose work failed."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from darkroom_pipeline.aws.record import READY
from darkroom_pipeline.services.ingest import handler
from darkroom_pipeline.services.ingest.events import (
    build_confirm_message,
    build_release_message,
    build_repair_message,
    build_verdict_message,
)
from tests.images.photographs import jpeg_photo

from .ingest_environment import IngestEnvironment, event_text

MAX_RECEIVES = 3


@dataclass
class Context:
    """The context that Lambda passes to an invocation."""

    remaining_ms: int = 120_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


@pytest.fixture
def app(env: IngestEnvironment, aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Load the function's module as in a cold start in the environment of ``env``."""
    names = env.names
    environment = aws_environment | {
        "UPLOADS_BUCKET": names["uploads"],
        "MEDIA_BUCKET": names["media"],
        "QUARANTINE_BUCKET": names["quarantine"],
        "AUDIT_BUCKET": names["audit"],
        "INDEX_TABLE": names["index"],
        "INGEST_QUEUE_URL": names["changes"],
        "INGEST_PRIORITY_QUEUE_URL": names["urgent"],
        "INGEST_DLQ_URL": names["dead"],
        "PURGE_QUEUE_URL": names["purges"],
        "REVIEW_QUEUE_URL": names["reviews"],
        "REVIEW_DLQ_URL": names["undecided"],
        "REVIEW_MAX_RECEIVES": "20",
        "EVENT_BUS": names["bus"],
        "STACK_NAME": "darkroom",
        "SIGNING_KEYS_ARN": "asked for nothing here",
        "LEASE_S": "125",
        "MAX_RECEIVES": str(MAX_RECEIVES),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("functions.ingest.app")
    yield importlib.reload(module)


def receive(
    env: IngestEnvironment, bodies: dict[str, str], receives: int = 1, queue: str = "changes"
) -> dict[str, Any]:
    """An SQS event with messages that really are in the queue, so that they can be hidden."""
    sqs, url = env.clients["sqs"], env.names[queue]
    for identity, body in bodies.items():
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"identity": identity, "body": body}))
    handles = {}
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]:
        handles[json.loads(message["Body"])["identity"]] = message["ReceiptHandle"]
    return {
        "Records": [
            {
                "messageId": identity,
                "receiptHandle": handles[identity],
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
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{url.rpartition('/')[2]}",
                "awsRegion": "us-east-1",
            }
            for identity, body in bodies.items()
        ]
    }


def created(env: IngestEnvironment, key: str, body: bytes) -> str:
    return event_text(env.names["uploads"], key, env.upload(key, body), "Object Created", "PutObject")


def failed(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.slow
def test_only_what_failed_comes_again(env: IngestEnvironment, app: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bodies = {"good": created(env, "good.jpg", jpeg_photo()), "bad": created(env, "bad.jpg", b"no image")}
    bodies["lost"] = created(env, "lost.jpg", jpeg_photo((60, 40)))
    env.clients["s3"].delete_bucket(Bucket=env.names["quarantine"])
    answer = app.handler(receive(env, bodies), Context())
    assert failed(answer) == ["bad"]
    assert env.record("good.jpg").state == READY
    assert env.record("lost.jpg").state == READY
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    handled = next(line for line in lines if line.get("key") == "good.jpg")
    steps = {"fetch", "sniff", "limits", "checksum", "dedupe", "decode", "claim", "clean", "master", "presets", "index"}
    assert steps | {"announce"} <= set(handled["ms"])
    assert any(line.get("message") == "message failed" and line["code"] == "unavailable" for line in lines)
    metrics = {name for line in lines for name in line if name == "PresetsTime"}
    assert metrics == {"PresetsTime"}


def test_a_failure_is_delayed_longer_each_time(
    env: IngestEnvironment, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(app._queue, "set_visibility_timeout", lambda handle, seconds: waited.append(seconds))
    env.clients["s3"].delete_bucket(Bucket=env.names["quarantine"])
    for receives in (1, 2):
        app.handler(receive(env, {"bad": created(env, "bad.jpg", b"no image")}, receives), Context())
        env.now_s += 1000
    assert 0 < waited[0] < waited[1]


def test_a_fault_after_the_claim_is_counted_like_any(env: IngestEnvironment, app: Any) -> None:
    """Each attempt claims the key again: none waits for the lease of the failed one."""
    body = created(env, "bad.jpg", b"no image")
    env.clients["s3"].delete_bucket(Bucket=env.names["quarantine"])
    for receives in range(1, MAX_RECEIVES):
        assert failed(app.handler(receive(env, {"x": body}, receives), Context())) == ["x"]
    assert failed(app.handler(receive(env, {"x": body}, MAX_RECEIVES), Context())) == []
    assert len(env.messages("dead")) == 1
    assert not [line for line in env.messages("changes") if "detail" in line]


def test_the_last_attempt_sends_a_message_to_the_dlq_with_its_reason(env: IngestEnvironment, app: Any) -> None:
    body = created(env, "bad.jpg", b"no image")
    env.clients["s3"].delete_bucket(Bucket=env.names["quarantine"])
    answer = app.handler(receive(env, {"bad": body}, MAX_RECEIVES), Context())
    assert failed(answer) == []
    [dead] = env.messages("dead")
    causes = {name: value["StringValue"] for name, value in dead.pop("attributes").items()}
    assert dead == json.loads(body)
    assert causes["code"] == "unavailable"
    assert "NoSuchBucket" in causes["cause"]
    assert causes["attempts"] == str(MAX_RECEIVES)


def test_a_redriven_message_is_marked_when_it_fails_again(env: IngestEnvironment, app: Any) -> None:
    env.clients["s3"].delete_bucket(Bucket=env.names["quarantine"])
    event = receive(env, {"bad": created(env, "bad.jpg", b"no image")}, MAX_RECEIVES)
    event["Records"][0]["messageAttributes"] = {
        "redriven": {"stringValue": "2026-11-25T12:00:00+00:00", "dataType": "String"}
    }
    app.handler(event, Context())
    [dead] = env.messages("dead")
    assert dead["attributes"]["redriven"]["StringValue"] == "2026-11-25T12:00:00+00:00"


def test_what_has_to_wait_stays_marked_as_sent_back(
    env: IngestEnvironment, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = created(env, "a.jpg", jpeg_photo((60, 40)))
    sequencer = json.loads(body)["detail"]["object"]["sequencer"]
    env.index.claim("a.jpg", sequencer, "another", now_s=time.time(), lease_s=3600)
    sent: list[dict[str, str]] = []
    monkeypatch.setattr(app._queue, "send", lambda body, *, delay_s, attributes: sent.append(attributes))
    event = receive(env, {"a": body})
    event["Records"][0]["messageAttributes"] = {
        "redriven": {"stringValue": "2026-11-25T12:00:00+00:00", "dataType": "String"}
    }
    assert failed(app.handler(event, Context())) == []
    assert sent == [{"redriven": "2026-11-25T12:00:00+00:00", "postponed": "1"}]


def test_a_message_is_postponed_as_often_as_it_may(
    env: IngestEnvironment, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = created(env, "a.jpg", jpeg_photo((60, 40)))
    sequencer = json.loads(body)["detail"]["object"]["sequencer"]
    env.index.claim("a.jpg", sequencer, "another", now_s=time.time(), lease_s=3600)
    sent: list[dict[str, str]] = []
    monkeypatch.setattr(app._queue, "send", lambda body, *, delay_s, attributes: sent.append(attributes))
    for postponed, expected in ((handler.MAX_POSTPONEMENTS - 1, []), (handler.MAX_POSTPONEMENTS, ["a"])):
        event = receive(env, {"a": body})
        event["Records"][0]["messageAttributes"] = {"postponed": {"stringValue": str(postponed), "dataType": "String"}}
        assert failed(app.handler(event, Context())) == expected
    assert sent == [{"postponed": str(handler.MAX_POSTPONEMENTS)}]


@pytest.mark.slow
def test_what_is_no_message_is_dead_at_once(env: IngestEnvironment, app: Any) -> None:
    answer = app.handler(receive(env, {"x": '{"what": "ever"}'}), Context())
    assert failed(answer) == []
    assert [dead["what"] for dead in env.messages("dead")] == ["ever"]


def test_a_defect_is_tried_again_like_a_fault(
    env: IngestEnvironment, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(handler, "read_event", broken)
    event = receive(env, {"x": created(env, "photo.jpg", jpeg_photo())})
    assert failed(app.handler(event, Context())) == ["x"]
    event = receive(env, {"x": created(env, "photo.jpg", jpeg_photo())}, MAX_RECEIVES)
    assert failed(app.handler(event, Context())) == []
    [dead] = env.messages("dead")
    assert dead["attributes"]["code"]["StringValue"] == "defect"
    assert "ZeroDivisionError" in dead["attributes"]["cause"]["StringValue"]


def test_waiting_for_another_worker_is_no_failure(env: IngestEnvironment, app: Any) -> None:
    body = created(env, "photo.jpg", jpeg_photo())
    sequencer = json.loads(body)["detail"]["object"]["sequencer"]
    now_s = app._consumers()[app._queue.name].context.claims.clock()
    env.index.claim("photo.jpg", sequencer, "another", now_s=now_s, lease_s=3600)
    answer = app.handler(receive(env, {"x": body}, MAX_RECEIVES), Context())
    assert failed(answer) == []
    assert env.messages("dead") == []
    url = env.names["changes"]
    waiting = env.clients["sqs"].get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert waiting["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"


@pytest.mark.slow
def test_an_urgent_upload_is_handled_once_though_both_queues_have_its_event(env: IngestEnvironment, app: Any) -> None:
    body = created(env, "photo.jpg", jpeg_photo())
    for queue in ("urgent", "changes"):
        assert failed(app.handler(receive(env, {"x": body}, queue=queue), Context())) == []
    assert env.record("photo.jpg").state == READY
    assert [detail["key"] for _, detail in env.published()] == ["photo.jpg"]
    assert not [message for message in env.messages("changes") if "detail" in message], "and nothing is to be repaired"


@pytest.mark.parametrize("queue", ["urgent", "changes"])
def test_a_message_waits_in_its_own_queue_for_another_worker(env: IngestEnvironment, app: Any, queue: str) -> None:
    body = created(env, "photo.jpg", jpeg_photo())
    sequencer = json.loads(body)["detail"]["object"]["sequencer"]
    now_s = app._consumers()[app._queue.name].context.claims.clock()
    env.index.claim("photo.jpg", sequencer, "another", now_s=now_s, lease_s=3600)
    assert failed(app.handler(receive(env, {"x": body}, queue=queue), Context())) == []
    delayed = {
        name: env.clients["sqs"].get_queue_attributes(
            QueueUrl=env.names[name], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
        )["Attributes"]["ApproximateNumberOfMessagesDelayed"]
        for name in ("urgent", "changes")
    }
    assert delayed == {"urgent": "0", "changes": "0"} | {queue: "1"}


def test_nothing_is_begun_that_cannot_be_ended_in_time(env: IngestEnvironment, app: Any) -> None:
    event = receive(env, {"x": created(env, "photo.jpg", jpeg_photo())})
    assert failed(app.handler(event, Context(remaining_ms=20_000))) == ["x"]
    assert env.index.get("photo.jpg") is None
    assert len(env.messages("changes")) == 1


@pytest.mark.sample(2)
@pytest.mark.parametrize("decision", [build_release_message, build_confirm_message])
@pytest.mark.parametrize(("queue", "dead"), [("changes", "dead"), ("reviews", "undecided")])
def test_a_decision_counts_in_the_review_queue_alone(
    env: IngestEnvironment, app: Any, decision: Callable[..., dict[str, object]], queue: str, dead: str
) -> None:
    body = json.dumps(decision("trips/rome.jpg", by="ada"))
    assert failed(app.handler(receive(env, {"decision": body}, queue=queue), Context())) == []
    codes = [letter["attributes"]["code"]["StringValue"] for letter in env.messages(dead)]
    assert codes == (["bad-upload"] if queue == "changes" else [])


@pytest.mark.parametrize("message", [build_repair_message, build_verdict_message])
def test_the_review_queue_is_for_decisions_alone(
    env: IngestEnvironment, app: Any, message: Callable[..., dict[str, object]]
) -> None:
    bodies = {"own": json.dumps(message("trips/rome.jpg")), "upload": created(env, "a.jpg", jpeg_photo())}
    assert failed(app.handler(receive(env, bodies, queue="reviews"), Context())) == []
    assert len(env.messages("undecided")) == 2
    assert env.clients["dynamodb"].scan(TableName=env.names["index"])["Count"] == 0
