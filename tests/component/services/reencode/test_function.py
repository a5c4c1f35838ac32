"""The refine function as SQS calls it: metrics, and the retry of a failed message."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.services.caching import PACE
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.reencode.service import reencode_message
from tests.component.services.emf_metrics import counted, of
from tests.component.services.functions import Context, Function, load
from tests.component.services.test_transform import Keys, request
from tests.images.photographs import jpeg_photo

MAX_RECEIVES = 2
NAME = "derivatives/photo.jpg/_/w-640.webp"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class ReencodeEnvironment:
    """The function with its own bucket, queue and DLQ."""

    function: Function
    media: FastBucket
    sqs: Any
    queue_url: str
    dead_url: str

    def invoke(self, body: dict[str, object], receives: int = 1, context: Context | None = None) -> bool:
        """Run the function on a message that is in the queue; return whether it may be deleted."""
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(body))
        received = self.sqs.receive_message(QueueUrl=self.queue_url)["Messages"][0]
        record = {
            "messageId": received["MessageId"],
            "receiptHandle": received["ReceiptHandle"],
            "body": received["Body"],
            "attributes": {"ApproximateReceiveCount": str(receives)},
            "messageAttributes": {},
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:refine",
        }
        answer = self.function.invoke({"Records": [record]}, context)
        return not answer["batchItemFailures"]

    def waiting(self) -> int:
        return len(self.sqs.receive_message(QueueUrl=self.queue_url).get("Messages", []))

    def dead(self) -> list[dict[str, Any]]:
        asked = {"QueueUrl": self.dead_url, "MessageAttributeNames": ["All"]}
        return list(self.sqs.receive_message(**asked).get("Messages", []))


@pytest.fixture
def env(
    aws: Callable[[str], Any], aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> ReencodeEnvironment:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)  # credentials are looked up when they are needed
    number = next(_numbers)
    bucket, sqs = f"refined-{number}", aws("sqs")
    aws("s3").create_bucket(Bucket=bucket)
    queue = sqs.create_queue(QueueName=f"refine-{number}")["QueueUrl"]
    dead = sqs.create_queue(QueueName=f"refine-dead-{number}")["QueueUrl"]
    environment = {
        "MEDIA_BUCKET": bucket,
        "REFINE": "on",
        "REFINE_QUEUE_URL": queue,
        "REFINE_DLQ_URL": dead,
        "MAX_RECEIVES": str(MAX_RECEIVES),
    }
    media = connect(bucket, CredentialSource(aws_environment), aws_environment)
    media.put("masters/photo.jpg", jpeg_photo(), {})
    Transform(source=media, media=media, keys=Keys()).answer(request("/photo.jpg?w=640&f=webp"))
    return ReencodeEnvironment(load("refine", aws_environment | environment), media, sqs, queue, dead)


def stored(env: ReencodeEnvironment) -> Any:
    found = env.media.open(NAME)
    assert found is not None
    return found


def test_an_event_of_s3_makes_it_smaller_and_is_counted(
    env: ReencodeEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stored(env)
    assert env.invoke({"detail-type": "Object Created", "detail": {"object": {"key": NAME}}})
    after = stored(env)
    assert after.size_bytes < before.size_bytes
    assert after.attributes[PACE] == "thorough"
    output = capsys.readouterr().out
    observed = counted(output)
    assert of(observed, "Requests") == {"": 1}
    assert of(observed, "Refined") == {"": 1, "webp": 1}
    assert of(observed, "BytesSaved") == {"": before.size_bytes - after.size_bytes}
    [line] = [json.loads(one) for one in output.splitlines() if '"derivative re-encoded"' in one and '"bytes"' in one]
    assert line["bytes"] == {"before": before.size_bytes, "after": after.size_bytes}
    assert line["score"]["after"] >= line["score"]["before"] - 0.3


def test_an_unreadable_message_goes_to_the_dlq_at_once(
    env: ReencodeEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    body = reencode_message("masters/photo.jpg", 1)
    assert env.invoke(body)
    [letter] = env.dead()
    assert json.loads(letter["Body"]) == body
    assert letter["MessageAttributes"]["code"]["StringValue"] == "bad-upload"
    observed = counted(capsys.readouterr().out)
    assert of(observed, "GivenUp") == {"bad-upload": 1}
    assert of(observed, "Requests") == {"": 1}


def test_a_fault_is_retried_and_then_sent_to_the_dlq_with_its_cause(env: ReencodeEnvironment) -> None:
    env.media.put(NAME, b"no image", dict(stored(env).attributes))
    order = reencode_message(NAME, 0)
    assert not env.invoke(order, receives=1)
    assert env.dead() == []
    assert env.waiting() == 0
    assert env.invoke(order, receives=MAX_RECEIVES)
    [letter] = env.dead()
    observed = {name: one["StringValue"] for name, one in letter["MessageAttributes"].items()}
    assert (observed["code"], observed["attempts"]) == ("internal", str(MAX_RECEIVES))


def test_nothing_is_begun_that_cannot_be_ended(env: ReencodeEnvironment) -> None:
    before = stored(env)
    assert not env.invoke(reencode_message(NAME, 0), context=Context(remaining_ms=30_000))
    assert stored(env).etag == before.etag
    assert env.waiting() == 1
