"""Description of a competitor."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cases import Case
from ..events import build_event
from ..link.tls import list_trust_variables

DEFAULT_QUALITY = 80
REGION = "us-east-1"
BUCKET = "media"

type Event = Mapping[str, Any]
type MakeEvent = Callable[[Case, int, int], Event]
"""Builds the event of a case, with a number unique to the request and the encoder's quality."""


def build_function_url_event(case: Case, number: int, quality: int) -> Event:
    """Build the Function URL event (payload format 2.0) that CloudFront sends on a miss of a canonical path.

    The minimal peers use it, too. ``quality`` is omitted if it is Darkroom's default.
    """
    options = "_".join(([] if quality == DEFAULT_QUALITY else [f"q-{quality}"]) + [f"w-{case.width}"])
    path = f"/{number}/{case.image}/_/{options}.{case.form}"
    event = build_event(path)
    return {**event, "headers": {**event["headers"], "x-amzn-trace-id": build_trace_header(number)}}


def build_trace_header(number: int) -> str:
    """Return a sampled trace header, unique for each ``number``."""
    return f"Root=1-67000000-{number:024x};Parent={number:016x};Sampled=1"


def build_api_gateway_event(case: Case, number: int, quality: int) -> Event:
    """Build DIT's REST API event (payload format 1.0), whose path is Base64 of JSON."""
    edits = {"resize": {"width": case.width}, case.form: {"quality": quality}, "toFormat": case.form}
    request = {"bucket": BUCKET, "key": f"masters/{number}/{case.image}", "edits": edits}
    path = "/" + b64encode(json.dumps(request).encode()).decode()
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

    ``what`` is a sentence about its parts and work. ``is_server``: it is no function but an HTTP server on the
    ``{port}`` in its command, and ``make_event`` returns a ``path``.
    """

    name: str
    what: str
    command: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str]
    make_event: MakeEvent = build_function_url_event
    is_server: bool = False


class MissingCompetitor(Exception):
    """A requirement of a competitor is missing on this machine; the message names it."""


def build_aws_environment(endpoint_url: str) -> dict[str, str]:
    """Return the variables that Lambda sets for every function, and the endpoint of the S3 substitute."""
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
        **list_trust_variables(endpoint_url),
    }
