"""The upload function: an HTTP API's request in, a form for S3 or the fate of an upload out."""

from __future__ import annotations

import os
import traceback
from base64 import b64decode
from typing import Any

from darkroom.aws.clients import client
from darkroom.aws.credentials import CredentialSource
from darkroom.aws.forms import Forms
from darkroom.aws.index import Index
from darkroom.aws.secrets import SigningKeys
from darkroom.aws.telemetry import log
from darkroom.errors import DarkroomError
from darkroom.plan.limits import Limits
from darkroom.services.answers import HttpResponse
from darkroom.services.problems import problem
from darkroom.services.upload import UploadRequest, Uploads

_env = os.environ

_service = Uploads(
    forms=Forms(client("s3"), _env["UPLOADS_BUCKET"]),
    index=Index(client("dynamodb"), _env["INDEX_TABLE"]),
    keys=SigningKeys(_env["SIGNING_KEYS_ARN"], CredentialSource()),
    max_bytes=int(_env.get("MAX_SOURCE_BYTES", Limits().max_bytes)),
)


def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Answer an HTTP API event (payload format 2.0) of ``POST /uploads`` or ``GET /uploads/{key+}``."""
    try:
        response = _service.answer(_decoded(event))
    except Exception:  # a defect must answer as a problem too, not as Lambda's own error
        log("ERROR", "defect", trace=traceback.format_exc())
        response = problem(DarkroomError())
    request_id = getattr(context, "aws_request_id", "")
    log("INFO", "answered", status=response["statusCode"], route=event["routeKey"], request_id=request_id)
    return response


def _decoded(event: dict[str, Any]) -> UploadRequest:
    body = event.get("body") or ""
    return UploadRequest(
        authorization=event["headers"].get("authorization", ""),
        asked_key=(event.get("pathParameters") or {}).get("key"),
        body=b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )
