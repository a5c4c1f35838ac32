"""Tests of the record of receives, and of the redrive of dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.attempts import SUFFIX, AttemptLog, Attempts, Step, read_attempts
from chaos.environment import AUDIT, INGEST, INGEST_DEAD, PURGE, PURGE_DEAD, Environment, Limits
from chaos.queues import drain
from chaos.redrive import Redrive


def test_a_receive_without_a_result_was_killed(tmp_path: Path) -> None:
    """Of all messages with the same body, whichever worker received them."""
    first, second = (AttemptLog(tmp_path / f"ingest-{number}{SUFFIX}") for number in range(2))
    for log, steps in (
        (first, [Step.RECEIVED, Step.RECEIVED, Step.FAILED, Step.RECEIVED, Step.RELEASED]),
        (second, [Step.RECEIVED, Step.RECEIVED, Step.DONE]),
    ):
        for step in steps:
            log.write(step, ["a message"])
    first.write(Step.RECEIVED, ["another", "a third"])
    found = read_attempts(tmp_path, "a message")
    assert found == Attempts(received=5, released=1, failed=1, done=1)
    assert str(found) == "received 5, killed 2, failed 1, released 1, carried out 1 times"
    assert read_attempts(tmp_path, "another").killed == 1


@pytest.fixture
def environment(ministack_url: str) -> Iterator[Environment]:
    found = Environment(ministack_url, Limits())
    found.s3.create_bucket(Bucket=AUDIT)
    for name in (INGEST, INGEST_DEAD, PURGE, PURGE_DEAD):
        found.queues.create_queue(QueueName=name)
    yield found
    for name in (INGEST, INGEST_DEAD, PURGE, PURGE_DEAD):
        found.queues.delete_queue(QueueUrl=found.queue_url(name))


def test_a_dead_letter_is_redriven_once_and_remembered(environment: Environment) -> None:
    def bury(**attributes: str) -> None:
        environment.queues.send_message(
            QueueUrl=environment.queue_url(INGEST_DEAD),
            MessageBody=json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": "photo.jpg"}}}),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    redrive = Redrive(environment)
    assert redrive.run() == 0
    bury(code="unavailable", cause="no answer")
    bury(code="bad-upload", cause="no event")
    assert redrive.run() == 1
    [again] = drain(environment, INGEST)
    assert again["MessageAttributes"]["redriven"]["StringValue"]
    assert [message.subject for message in redrive.given_up] == ["Object Created photo.jpg"] * 2
    bury(code="unavailable", redriven="2026-12-01T21:00:00+00:00")
    assert redrive.run() == 0
    assert [message.code for message in redrive.given_up] == ["unavailable", "bad-upload", "unavailable"]
