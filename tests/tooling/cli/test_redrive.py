"""Tests of redriving DLQ messages: each returns with its cause, and none is lost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.redrive import RedriveResult, Shown, redrive
from darkroom.errors import Unavailable
from tests import commands

_numbers = itertools.count(1)

EVENT = json.dumps({"detail-type": "Object Created", "source": "aws.s3", "detail": {"object": {"key": "a.jpg"}}})


@dataclass
class Queues:
    """A queue and its DLQ. ``messages`` are the reported lines."""

    sqs: Any
    dead: str
    main: str
    messages: list[Shown]

    def die(self, body: str = EVENT, **attributes: str) -> None:
        """Add a DLQ message."""
        named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        self.sqs.send_message(QueueUrl=self.dead, MessageBody=body, MessageAttributes=named)

    def redrive(self, *, dry_run: bool = False) -> RedriveResult:
        return redrive(self.sqs, self.dead, self.main, dry_run=dry_run, report=self.messages.append)

    def bodies(self, url: str) -> list[str]:
        """Receive all visible messages."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found)

    def count(self, url: str) -> int:
        """Count messages, visible or in flight."""
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(answer[f"ApproximateNumberOfMessages{state}"]) for state in ("", "NotVisible"))


@pytest.fixture
def queues(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Queues:
    monkeypatch.setattr("cli.redrive.WAIT_S", 0)
    sqs, number = aws("sqs"), next(_numbers)
    urls = [sqs.create_queue(QueueName=f"redrive-{name}-{number}")["QueueUrl"] for name in ("dead", "main")]
    return Queues(sqs, *urls, [])


def test_every_message_goes_back_as_it_was(queues: Queues) -> None:
    bodies = sorted(json.dumps({"key": f"{number} ü.jpg", "pass": 1}) for number in range(25))
    for body in bodies:
        queues.die(body)
    assert queues.redrive() == RedriveResult(found=25, sent=25)
    assert queues.count(queues.dead) == 0
    assert queues.bodies(queues.main) == bodies


def test_each_is_reported_with_its_cause(queues: Queues) -> None:
    queues.die(code="unavailable", cause="put masters/a.jpg: SlowDown", attempts="6", trace_id="1-67447a00-01")
    queues.redrive()
    [letter] = queues.messages
    assert (letter.subject, letter.cause) == ("Object Created a.jpg", "unavailable: put masters/a.jpg: SlowDown")
    assert (letter.attempts, letter.trace_id, letter.redriven) == ("6", "1-67447a00-01", "")


@pytest.mark.parametrize(
    ("attributes", "cause"),
    [
        ({"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "may not send"}, "NO_PERMISSIONS: may not send"),
        ({"code": "defect"}, "defect: "),
        ({}, "no cause: its worker did not finish (killed, out of memory or out of time)"),
    ],
)
def test_the_cause_is_that_of_the_last_failure(queues: Queues, attributes: dict[str, str], cause: str) -> None:
    queues.die(**attributes)
    queues.redrive()
    assert queues.messages[0].cause == cause


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        ('{"key": "a.jpg", "pass": 2}', "purge a.jpg"),
        ("no JSON at all", "no JSON at all"),
        ("[1]", "[1]"),
        ('{"detail": {}}', '{"detail": {}}'),
        ("x" * 500, "x" * 120),
    ],
)
def test_its_subject_is_reported_for_any_content(queues: Queues, body: str, subject: str) -> None:
    queues.die(body)
    assert queues.redrive() == RedriveResult(1, 1)
    assert queues.messages[0].subject == subject
    assert queues.bodies(queues.main) == [body]


def test_a_dry_run_leaves_everything_where_it_can_be_seen(queues: Queues) -> None:
    for _ in range(12):
        queues.die()
    assert queues.redrive(dry_run=True) == RedriveResult(found=12, sent=0)
    assert queues.count(queues.main) == 0
    assert queues.redrive(dry_run=True) == RedriveResult(found=12, sent=0)
    assert len(queues.bodies(queues.dead)) == 12


def test_what_comes_back_at_once_does_not_go_round_for_ever(queues: Queues) -> None:
    for _ in range(12):
        queues.die()
    queues.main = queues.dead
    assert queues.redrive() == RedriveResult(found=12, sent=12)
    assert len(queues.bodies(queues.dead)) == 12


def test_a_message_that_cannot_be_sent_is_not_lost(queues: Queues) -> None:
    for _ in range(3):
        queues.die()
    left = iter([None])

    def fail_after_one(**_: Any) -> None:
        if next(left, ClientError) is not None:
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "no"}}, "SendMessage")

    queues.sqs.meta.events.register("before-parameter-build.sqs.SendMessage", fail_after_one)
    with pytest.raises(Unavailable):
        queues.redrive()
    assert (queues.count(queues.dead), queues.count(queues.main)) == (2, 1)


def test_the_command_takes_every_queue(
    queues: Queues, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("Ingest", "Purge")
    outputs = {f"{name}{end}": f"redrive-{name}-{end}" for name in names for end in ("QueueUrl", "DeadLettersUrl")}
    urls = {output: queues.sqs.create_queue(QueueName=name)["QueueUrl"] for output, name in outputs.items()}
    command = commands.local(aws_environment, tmp_path, capsys, urls)
    for name in names:
        queues.sqs.send_message(QueueUrl=urls[f"{name}DeadLettersUrl"], MessageBody=name)
    shown = command.run("redrive", "purge", "--dry-run", "--json").document["queues"]
    assert (shown["purge"]["found"], shown["purge"]["sent"], set(shown)) == (1, 0, {"purge"})
    assert shown["purge"]["letters"][0]["subject"] == "Purge"
    assert command.run("redrive", "infer").code == 3
    done = command.run("redrive")
    assert done.code == 0
    assert done.lines[-1] == "purge: dead letters: 1, sent back: 1"
    assert [queues.bodies(urls[output]) for output in outputs] == [["Ingest"], [], ["Purge"], []]
    queues.sqs.delete_queue(QueueUrl=urls["IngestDeadLettersUrl"])
    done = command.run("redrive", "ingest")
    assert done.code in (1, 3)
    assert len(done.err.splitlines()) == 1


def test_a_letter_goes_back_in_its_own_trace_and_marked(queues: Queues) -> None:
    header = "Root=1-67447a00-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1"
    queues.sqs.send_message(
        QueueUrl=queues.dead,
        MessageBody=EVENT,
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": header}},
    )
    queues.redrive()
    (message,) = queues.sqs.receive_message(
        QueueUrl=queues.main, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert message["Attributes"]["AWSTraceHeader"] == header
    assert message["MessageAttributes"]["redriven"]["StringValue"].startswith("20")


def test_a_letter_that_dies_again_says_that_it_was_sent_back_before(queues: Queues) -> None:
    queues.die(redriven="2026-11-25T12:00:00+00:00", attempts="6")
    queues.redrive()
    assert (queues.messages[0].attempts, queues.messages[0].redriven) == ("6", "2026-11-25T12:00:00+00:00")
