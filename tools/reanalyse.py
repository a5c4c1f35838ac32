"""Have pictures looked at that were taken in before: for a new generation of findings, or by a new endpoint.

``python -m tools.reanalyse --bucket <bucket of the masters> --queue-url <infer queue>`` puts a message for every master
into the queue. What has been looked at already, by the endpoint and in this generation, is passed over there, unless
``--again``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from darkroom.aws.clients import client
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.sqs import Queue
from darkroom.errors import BadKey, Unavailable
from darkroom.services.infer.requests import Kind, Request
from darkroom.services.s3_keys import ObjectNames


def messages(
    masters: S3Bucket, names: ObjectNames, below: str = "", *, again: bool = False
) -> Iterator[dict[str, object]]:
    """A message for every master by ``names`` whose key starts with ``below``; raises Unavailable."""
    for page in masters.list_pages(names.name(below)):
        for listed in page:
            key = _key(listed.key, names)
            if key and key.startswith(below) and not key.endswith("/"):
                yield Request(Kind.ANALYSE, key, again=again).message


def _key(name: str, names: ObjectNames) -> str:
    """The key of the object ``name``; "" and a note if no key has this name."""
    try:
        return names.key(name)
    except BadKey:
        sys.stderr.write(f"left out, as it is not an encoded key: {name}\n")
        return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.reanalyse", description="Have pictures looked at.")
    parser.add_argument("--bucket", required=True, help="where the masters are")
    parser.add_argument("--prefix", default="masters/", help="what comes before their keys")
    parser.add_argument(
        "--raw-names", action="store_true", help="the bucket is a SourceBucket, whose names are keys as they are"
    )
    parser.add_argument("--below", default="", help="only keys that start with this")
    parser.add_argument("--queue-url", required=True, help="the infer queue")
    parser.add_argument("--again", action="store_true", help="even what has been looked at")
    chosen = parser.parse_args(arguments)
    names = ObjectNames(chosen.prefix, encoded=not chosen.raw_names)
    masters, queue = S3Bucket(client("s3"), chosen.bucket), Queue(client("sqs"), chosen.queue_url)
    try:
        sent = queue.send_many(messages(masters, names, chosen.below, again=chosen.again))
    except Unavailable as error:
        sys.stderr.write(f"{error.detail}\nIt may be run again: what was sent twice is looked at once.\n")
        return 1
    sys.stdout.write(f"queued: {sent}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
