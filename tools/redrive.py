"""Send dead letters back to the queue they came from, and say of each why it had died.

``python -m tools.redrive --queue-url <dead letters> --to <queue>``. A message is deleted only after it was sent. What
comes back meanwhile is left lying, so that it ends.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from darkroom.aws.dead_letter_queue import WAIT_S, DeadLetterQueue, DlqMessage
from darkroom.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many messages there were, and how many of them were sent back."""

    found: int
    sent: int


def redrive(
    sqs: Any,
    dead_url: str,
    queue_url: str,
    *,
    urgent_url: str = "",
    dry_run: bool = False,
    say: Callable[[str], object] = print,
) -> Redriven:
    """Send every message of ``dead_url`` to ``queue_url``, urgent ones to ``urgent_url`` if there is such a queue.

    With ``dry_run`` they are only printed.

    Raises Unavailable; whatever was not sent by then is still there.
    """
    letters = DeadLetterQueue(sqs, dead_url, wait_s=WAIT_S)
    found = sent = 0
    shown: list[str] = []
    for letter in letters.read_all():
        found += 1
        for line in _lines(letter):
            say(line)
        if dry_run:
            shown.append(letter.receipt_handle)
            continue
        letters.redrive(letter, (letter.has_priority and urgent_url) or queue_url)
        sent += 1
    letters.make_visible(shown)
    return Redriven(found, sent)


def _lines(letter: DlqMessage) -> Iterator[str]:
    sent = datetime.fromtimestamp(letter.sent_s, UTC).isoformat(timespec="seconds")
    yield f"{sent}  {letter.subject}"
    yield f"    {letter.cause}"
    told = {name: letter.attributes[name] for name in ("attempts", "trace_id", "redriven") if name in letter.attributes}
    if told:
        yield "    " + ", ".join(f"{name} {value}" for name, value in told.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.redrive", description="Send dead letters back.")
    parser.add_argument("--queue-url", required=True, help="the dead letters")
    parser.add_argument("--to", required=True, help="the queue that they are sent to")
    parser.add_argument("--urgent-to", default="", help="the queue that urgent ones are sent to (infer has one)")
    parser.add_argument("--endpoint-url", help="AWS's address, if it is not AWS")
    parser.add_argument("--dry-run", action="store_true", help="only show them")
    chosen = parser.parse_args(arguments)
    try:
        sqs = boto3.client("sqs", endpoint_url=chosen.endpoint_url)
        done = redrive(sqs, chosen.queue_url, chosen.to, urgent_url=chosen.urgent_to, dry_run=chosen.dry_run, say=_say)
    except (BotoCoreError, Unavailable) as error:
        cause = error.detail if isinstance(error, Unavailable) else str(error)
        sys.stderr.write(f"{cause}\nWhat was not sent is still there.\n")
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
