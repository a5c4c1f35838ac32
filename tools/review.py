"""Pictures that a model has flagged and that wait for a person: see them, let one pass, or agree with the model.

``python -m tools.review --table <index table> list``, ``… --queue-url <review queue> release|confirm KEY --by NAME``. A
word counts for the upload that was held when it was given. Ingest carries it out, and writes it into the audit log.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from darkroom.aws.index import Index
from darkroom.aws.record import HELD, Record
from darkroom.aws.sqs import Queue
from darkroom.errors import DarkroomError, NotIngested
from darkroom.services.ingest.events import build_confirm_message, build_release_message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

type Message = Callable[[str, str, str], dict[str, object]]

DECISIONS: Mapping[str, Message] = {"release": build_release_message, "confirm": build_confirm_message}
"""What a person can say of a picture that is held: serve it, or leave it where it is."""


class NotHeld(NotIngested):
    """Nothing is held under this key."""

    title = "No picture is held under this key"


def decide(index: Index, queue: Queue, key: str, decision: str, by: str) -> Record:
    """Ask ingest to carry out ``decision`` of the person ``by`` about ``key``; the record as it was.

    Raises NotHeld if there is nothing to decide, Unavailable.
    """
    record = index.get(key)
    if record is None or record.state != HELD:
        raise NotHeld(f"{key} is not held: " + (record.state if record else "nothing is known of it"))
    queue.send(DECISIONS[decision](key, str(record.held["sha256"]), by))
    return record


def described(record: Record) -> dict[str, Any]:
    """A picture that waits, as JSON has it: its key, its size in pixels, and since when."""
    facts = record.held.get("facts", {})
    return {
        "key": record.key,
        "since": record.updated_at,
        "width": facts.get("width"),
        "height": facts.get("height"),
        "format": facts.get("format"),
    }


def main(
    arguments: Sequence[str] | None = None,
    *,
    dynamodb: DynamoDBClient | None = None,
    sqs: SQSClient | None = None,
) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.review", description=__doc__.partition("\n")[0])
    parser.add_argument("--table", required=True, help="the index table (the stack's output IndexTableName)")
    parser.add_argument("--queue-url", help="the stack's output ReviewQueueUrl")
    parser.add_argument("command", choices=("list", *DECISIONS))
    parser.add_argument("key", nargs="?", help="the key of the picture")
    parser.add_argument("--by", help="who decides it")
    chosen = parser.parse_args(arguments)
    if chosen.command != "list" and not (chosen.key and chosen.by and chosen.queue_url):
        parser.error(f"{chosen.command} needs a key, --by and --queue-url")
    index = Index(dynamodb or boto3.client("dynamodb"), chosen.table)
    try:
        if chosen.command == "list":
            _show(index.list_flagged())
        else:
            decide(index, Queue(sqs or boto3.client("sqs"), chosen.queue_url), chosen.key, chosen.command, chosen.by)
            sys.stdout.write(f"{chosen.key}: {chosen.command} by {chosen.by} is on its way\n")
    except (DarkroomError, ClientError, BotoCoreError) as error:
        detail = error.detail if isinstance(error, DarkroomError) else ""
        sys.stderr.write(f"{error} {detail}".strip() + "\n")
        return 1
    return 0


def _show(waiting: Sequence[Record]) -> None:
    for record in waiting:
        told = described(record)
        sys.stdout.write(f"{told['since']}  {told['width']} x {told['height']} {told['format']}  {told['key']}\n")
    sys.stdout.write(f"waiting: {len(waiting)}\n")


if __name__ == "__main__":
    sys.exit(main())
