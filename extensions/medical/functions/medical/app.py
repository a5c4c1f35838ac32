"""The medical function: DICOMweb resources of instances without patient data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from darkroom.aws.secrets import Secret
from darkroom.aws.telemetry import LightObserver
from darkroom.environment import Environment
from darkroom.http.response import HttpResponse
from darkroom.services.request_metrics import log_request
from darkroom.signing import parse_signing_keys
from medical.app import Medical


class MedicalEnvironment(Environment):
    """Variables of the function. ``media_bucket`` is the stack's bucket of masters."""

    signing_keys_arn: str


_env = MedicalEnvironment()
_observer = LightObserver("medical")
_credentials = CredentialSource()
_keys = Secret(_env.signing_keys_arn, _credentials, parse_signing_keys, observer=_observer)


@cache
def _client() -> Any:
    from darkroom_pipeline.aws.clients import create_client  # boto3 takes 190 ms: rendering does without

    return create_client("s3")


def list_keys(prefix: str, most: int, delimiter: str) -> Iterator[str]:
    """Yield the names of at most ``most`` objects, or what they have up to ``delimiter`` behind ``prefix``."""
    pages = (
        _client()
        .get_paginator("list_objects_v2")
        .paginate(Bucket=_env.media_bucket, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"MaxItems": most})
    )
    for page in pages:
        yield from (one["Prefix"] for one in page.get("CommonPrefixes", ()))
        yield from (one["Key"] for one in page.get("Contents", ()))


_medical = Medical(connect(_env.media_bucket, _credentials), list_keys, _keys)


def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Respond to an HTTP API event (payload format 2.0)."""
    _observer.begin(context)
    with _observer.message("answer", path=event["rawPath"]):
        response, error = _medical.respond(event)
        log_request(_observer, int(str(response["statusCode"])), error)
        return response
