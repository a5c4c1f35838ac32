"""What the benchmark knows of a contender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
BUCKET = "media"


@dataclass(frozen=True, slots=True)
class Contender:
    """A handler to run: in ``folder``, as ``command``, with exactly ``environment``.

    ``what`` says in a sentence what it is made of and does. ``stores`` is whether it writes its picture to S3 before it
    answers.
    """

    name: str
    what: str
    command: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str]
    stores: bool = False


class Missing(Exception):
    """This machine lacks what a contender needs; the message says what."""


def aws_environment(endpoint_url: str) -> dict[str, str]:
    """What Lambda gives every function, and the endpoint that stands in for S3."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_ENDPOINT_URL": endpoint_url,
        "MEDIA_BUCKET": BUCKET,
    }
