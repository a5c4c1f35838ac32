"""Send dead letters back to the queue they came from, and say of each why it had died.

``python -m tools.redrive --queue-url <dead letters> --to <queue>``. A message is deleted only after it was sent. What
comes back meanwhile is left lying, so that it ends.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_FOR_S = 120
"""How long a received message is not shown to others, and with --dry-run to ourselves."""

WAIT_S = 2
"""How long is waited for a message before the queue counts as empty: a short poll asks only some of SQS's servers."""

_CAUSES = (
    ("code", "cause"),  # ingest's own
    ("ERROR_CODE", "ERROR_MESSAGE"),  # EventBridge's, for an event that never reached its target
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead message. ``attributes`` are its message attributes; ``sent_s`` is Unix time."""

    message_id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, str]
    sent_s: float

    @property
    def cause(self) -> str:
        """Why it died."""
        for code, text in _CAUSES:
            if code in self.attributes:
                return f"{self.attributes[code]}: {self.attributes.get(text, '')}"
        return "no cause: its worker never answered (killed, out of memory or of time)"

    @property
    def subject(self) -> str:
        """What it is about."""
        try:
            document = json.loads(self.body)
            if "detail" in document:
                detail = document["detail"]
                return f"{document['detail-type']} {detail['object']['key'] if 'object' in detail else detail['key']}"
            return f"purge {document['key']}"
        except (ValueError, TypeError, KeyError):
            return self.body[:120]


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many messages there were, and how many of them were sent back."""

    found: int
    sent: int


def redrive(
    sqs: SQSClient, dead_url: str, queue_url: str, *, dry_run: bool = False, say: Callable[[str], object] = print
) -> Redriven:
    """Send every message of ``dead_url`` to ``queue_url``; with ``dry_run`` only tell of them.

    Raises botocore's errors; whatever was not sent by then is still there.
    """
    found = sent = 0
    shown: list[str] = []
    for letter in _letters(sqs, dead_url):
        found += 1
        for line in _lines(letter):
            say(line)
        if dry_run:
            shown.append(letter.receipt_handle)
            continue
        sqs.send_message(QueueUrl=queue_url, MessageBody=letter.body)
        sqs.delete_message(QueueUrl=dead_url, ReceiptHandle=letter.receipt_handle)
        sent += 1
    _show(sqs, dead_url, shown)
    return Redriven(found, sent)


def _letters(sqs: SQSClient, url: str) -> Iterator[DeadLetter]:
    """Each message that was there at the start."""
    started_s = time.time()
    newer: list[str] = []
    seen: set[str] = set()
    while letters := _receive(sqs, url):
        for letter in letters:
            if letter.sent_s > started_s or letter.message_id in seen:
                newer.append(letter.receipt_handle)
                continue
            seen.add(letter.message_id)
            yield letter
    _show(sqs, url, newer)


def _receive(sqs: SQSClient, url: str) -> list[DeadLetter]:
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=WAIT_S,
        VisibilityTimeout=HIDDEN_FOR_S,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["SentTimestamp"],
    )
    return [_letter(message) for message in answer.get("Messages", [])]


def _show(sqs: SQSClient, url: str, receipt_handles: Iterable[str]) -> None:
    """Let messages be received again at once."""
    for handle in receipt_handles:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)


def _letter(message: Any) -> DeadLetter:
    attributes = {name: one.get("StringValue", "") for name, one in message.get("MessageAttributes", {}).items()}
    sent_s = int(message["Attributes"]["SentTimestamp"]) / 1000
    return DeadLetter(message["MessageId"], message["ReceiptHandle"], message["Body"], attributes, sent_s)


def _lines(letter: DeadLetter) -> Iterator[str]:
    sent = datetime.fromtimestamp(letter.sent_s, UTC).isoformat(timespec="seconds")
    yield f"{sent}  {letter.subject}"
    yield f"    {letter.cause}"
    told = {name: letter.attributes[name] for name in ("attempts", "trace_id") if name in letter.attributes}
    if told:
        yield "    " + ", ".join(f"{name} {value}" for name, value in told.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.redrive", description="Send dead letters back.")
    parser.add_argument("--queue-url", required=True, help="the dead letters")
    parser.add_argument("--to", required=True, help="the queue that they are sent to")
    parser.add_argument("--endpoint-url", help="AWS's address, if it is not AWS")
    parser.add_argument("--dry-run", action="store_true", help="only show them")
    chosen = parser.parse_args(arguments)
    try:
        sqs = boto3.client("sqs", endpoint_url=chosen.endpoint_url)
        done = redrive(sqs, chosen.queue_url, chosen.to, dry_run=chosen.dry_run, say=_say)
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{error}\nWhat was not sent is still there.\n")
        return 1
    _say(summary(done, dry_run=chosen.dry_run))
    return 0


def summary(done: Redriven, *, dry_run: bool) -> str:
    """One line about all of it."""
    return f"dead letters: {done.found}, sent back: {'none, only shown' if dry_run else done.sent}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
