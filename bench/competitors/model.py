"""What the benchmark knows of a contender."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cases import Case

DEFAULT_QUALITY = 80
REGION = "us-east-1"
BUCKET = "media"

type Event = Mapping[str, Any]
type Asks = Callable[[Case, int, int], Event]
"""From a case, a number that no other request has, and the encoder's quality, to what the contender is sent."""


def build_function_url_event(case: Case, number: int, quality: int) -> Event:
    """The event of the Function URL (payload format 2.0) that CloudFront sends on a miss, for a canonical path.

    Our minimal peers read that too. ``quality`` is left out where it is Darkroom's default.
    """
    options = "_".join(([] if quality == DEFAULT_QUALITY else [f"q-{quality}"]) + [f"w-{case.width}"])
    path = f"/{number}/{case.picture}/_/{options}.{case.form}"
    headers = {
        "accept": "image/avif,image/webp,*/*",
        "host": "transform.lambda-url.us-east-1.on.aws",
        "x-amzn-trace-id": build_trace_header(number),
    }
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": {"method": "GET", "path": path, "protocol": "HTTP/1.1"}},
        "isBase64Encoded": False,
    }


def build_trace_header(number: int) -> str:
    """A trace of its own for each ``number``, which is sampled."""
    return f"Root=1-67000000-{number:024x};Parent={number:016x};Sampled=1"


def build_api_gateway_event(case: Case, number: int, quality: int) -> Event:
    """The event of the REST API (payload format 1.0) before DIT's handler, whose path is Base64 of JSON."""
    edits = {"resize": {"width": case.width}, case.form: {"quality": quality}, "toFormat": case.form}
    wanted = {"bucket": BUCKET, "key": f"masters/{number}/{case.picture}", "edits": edits}
    path = "/" + b64encode(json.dumps(wanted).encode()).decode()
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": {"Accept": "image/avif,image/webp,*/*", "Host": "api.execute-api.us-east-1.amazonaws.com"},
        "queryStringParameters": None,
        "requestContext": {"httpMethod": "GET", "path": f"/image{path}", "stage": "image"},
        "isBase64Encoded": False,
    }


@dataclass(frozen=True, slots=True)
class Competitor:
    """A handler to run: in ``folder``, as ``command``, with exactly ``environment``.

    ``what`` says in a sentence what it is made of and does. ``stores`` is whether it writes its picture to S3 before it
    answers. ``is_server``: it is no function but listens to HTTP on the ``{port}`` in its command, and ``asks`` gives a
    ``path``.
    """

    name: str
    what: str
    command: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str]
    stores: bool = False
    asks: Asks = build_function_url_event
    is_server: bool = False


class MissingCompetitor(Exception):
    """This machine lacks what a contender needs; the message says what."""


def build_aws_environment(endpoint_url: str) -> dict[str, str]:
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
