"""AWS clients of boto3, for every function but transform, with bounded waiting; and one way to say what failed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from s3transfer.exceptions import RetriesExceededError, S3CopyFailedError
from urllib3.exceptions import HTTPError

from ..errors import Unavailable

CONNECT_S = 2.0
READ_S = 20.0
MAX_ATTEMPTS = 4
"""Of one call, the first included. Standard retries wait at most 20 s between two of them, far less at first."""

_FAULTS = (
    BotoCoreError,
    Boto3Error,
    ClientError,
    HTTPError,
    KeyError,  # an answer without a field that AWS always gives
    ResponseParserError,
    RetriesExceededError,
    S3CopyFailedError,
    UnicodeDecodeError,  # of an answer that is no text
)

_ENDPOINT_NAMES = {
    "events": "EVENTBRIDGE",
    "sagemaker-runtime": "SAGEMAKER_RUNTIME",
    "secretsmanager": "SECRETS_MANAGER",
    "stepfunctions": "SFN",
}
"""Services that AWS's endpoint variables call otherwise than boto3 does."""


def client(
    service: str,
    environment: Mapping[str, str] = os.environ,
    *,
    read_s: float | None = None,
    attempts: int = MAX_ATTEMPTS,
) -> Any:
    """A boto3 client of ``service`` in the region, and at the endpoint if any, of ``environment``. Sends nothing yet.

    Credentials that ``environment`` lacks come from botocore's own chain. ``read_s`` is how long an answer may take,
    of each of ``attempts`` at a call.
    """
    name = _ENDPOINT_NAMES.get(service, service.upper())
    endpoint = environment.get(f"AWS_ENDPOINT_URL_{name}") or environment.get("AWS_ENDPOINT_URL")
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S if read_s is None else read_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        response_checksum_validation="when_required",  # a wrong checksum is a reason to refuse, not a fault
        s3={"addressing_style": "path" if endpoint else "virtual"},
        signature_version="s3v4" if service == "s3" else None,  # botocore would sign forms by version 2
        tcp_keepalive=True,
    )
    return _session().client(
        service,  # type: ignore[call-overload]
        region_name=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint_url=endpoint or None,
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID") or None,
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY") or None,
        aws_session_token=environment.get("AWS_SESSION_TOKEN") or None,
        config=config,
    )


@cache
def _session() -> boto3.Session:
    """One for all clients: it keeps the endpoint rules and service models that it has read."""
    return boto3.Session()


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Turn every fault of AWS, or of the way there, into Unavailable. ``what`` is for the logs."""
    try:
        yield
    except _FAULTS as error:
        raise Unavailable(detail=f"{what}: {error!r}") from error


def error_code(error: ClientError) -> str:
    """The machine-readable code of an error answer, such as ``NoSuchKey``; a bare HTTP status has its number."""
    return str(error.response.get("Error", {}).get("Code", ""))
