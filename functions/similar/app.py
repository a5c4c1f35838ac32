"""The similar function: an HTTP API's request in, the pictures that are like one out."""

from __future__ import annotations

import os
import traceback
from typing import Any

from darkroom.aws.clients import client
from darkroom.aws.credentials import CredentialSource
from darkroom.aws.index import Index
from darkroom.aws.secrets import SigningKeys
from darkroom.aws.telemetry import log
from darkroom.aws.vectors.choosing import open_vectors
from darkroom.aws.vectors.table import TableVectors
from darkroom.errors import DarkroomError
from darkroom.findings import SIMILARITY
from darkroom.services.answers import HttpResponse
from darkroom.services.problems import problem
from darkroom.services.similar import Similar, SimilarRequest

_env = os.environ
_vectors = open_vectors(_env)

_service = Similar(
    vectors=_vectors,
    hashes=_vectors if isinstance(_vectors, TableVectors) else None,
    index=Index(client("dynamodb"), _env["INDEX_TABLE"]),
    keys=SigningKeys(_env["SIGNING_KEYS_ARN"], CredentialSource()),
    analyses=_env.get("INFERENCE_MODE", "off") != "off" and SIMILARITY in _env.get("TASKS", SIMILARITY).split(","),
)


def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Answer an HTTP API event (payload format 2.0) of ``GET /_similar/{key+}``."""
    try:
        response = _service.answer(_decoded(event))
    except Exception:  # a defect must answer as a problem too, not as Lambda's own error
        log("ERROR", "defect", trace=traceback.format_exc())
        response = problem(DarkroomError())
    request_id = getattr(context, "aws_request_id", "")
    log("INFO", "answered", status=response["statusCode"], route=event["routeKey"], request_id=request_id)
    return response


def _decoded(event: dict[str, Any]) -> SimilarRequest:
    return SimilarRequest(
        authorization=event["headers"].get("authorization", ""),
        asked_key=event["pathParameters"]["key"],
        count=(event.get("queryStringParameters") or {}).get("count", ""),
    )
