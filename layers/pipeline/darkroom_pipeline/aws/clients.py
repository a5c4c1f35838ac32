"""Clients of boto3 with bounded timeouts, for every function but transform, and the translation of their errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
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

from darkroom.errors import Unavailable

CONNECT_S = 2.0
READ_S = 20.0
MAX_ATTEMPTS = 4
"""Attempts of one call, the first included. Standard retries wait at most 20 s between two, far less at first."""

_FAULTS = (
    BotoCoreError,
    Boto3Error,
    ClientError,
    HTTPError,
    KeyError,  # a response without a field that AWS always returns
    ResponseParserError,
    RetriesExceededError,
    S3CopyFailedError,
    UnicodeDecodeError,  # of a response that is no text
)

_ENDPOINT_NAMES = {
    "events": "EVENTBRIDGE",
    "sagemaker-runtime": "SAGEMAKER_RUNTIME",
    "secretsmanager": "SECRETS_MANAGER",
    "stepfunctions": "SFN",
}
"""Services whose name in AWS's endpoint variables differs from boto3's."""


def create_client(
    service: str,
    environment: Mapping[str, str] = os.environ,
    *,
    read_s: float | None = None,
    attempts: int = MAX_ATTEMPTS,
) -> Any:
    """Create a boto3 client of ``service`` in the region and, if any, at the endpoint of ``environment``.

    Credentials that ``environment`` lacks come from botocore's own chain. ``read_s`` is the read timeout of each of
    ``attempts``.
    """
    name = _ENDPOINT_NAMES.get(service, service.upper())
    endpoint = environment.get(f"AWS_ENDPOINT_URL_{name}") or environment.get("AWS_ENDPOINT_URL")
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S if read_s is None else read_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        response_checksum_validation="when_required",  # ingest verifies: a wrong checksum is a refusal, not a fault
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
    """Return the session of all clients: it caches endpoint rules and service models."""
    return boto3.Session()


@contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Translate every error of AWS or the network into Unavailable. ``what`` names the call in logs."""
    try:
        yield
    except _FAULTS as error:
        raise Unavailable(detail=f"{what}: {error!r}") from error


def write_if(write: Callable[..., object], what: str, **request: Any) -> bool:
    """Call ``write``, a method of a DynamoDB client, with a conditional ``request``; return whether its condition held.

    Raises Unavailable.
    """
    with translate_errors(what):
        try:
            write(**request)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
    return True


def error_code(error: ClientError) -> str:
    """Return the code of an error response, such as ``NoSuchKey``, or the HTTP status if there is none."""
    return str(error.response.get("Error", {}).get("Code", ""))
