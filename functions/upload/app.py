"""The upload function: presigns uploads to S3 and returns their state, for an HTTP API."""

from __future__ import annotations

from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.secrets import Secret
from darkroom.environment import UploadEnvironment
from darkroom.http.response import HttpResponse, json_response
from darkroom.services.live_settings import LiveSettings, SettingsBound
from darkroom.settings import Settings
from darkroom.signing import parse_signing_keys
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.presigned_post import PostPresigner
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.upload_counters import UploadCounters
from darkroom_pipeline.http.api import parse_key, read_bearer_token, read_body, respond
from darkroom_pipeline.services.upload import UploadApi

_env = UploadEnvironment()
_observer = PowertoolsObserver("upload")
_s3 = create_client("s3")
_dynamodb = create_client("dynamodb")
_forms, _index = PostPresigner(_s3, _env.uploads_bucket), Index(_dynamodb, _env.index_table)
_counters = UploadCounters(_dynamodb, _env.index_table)
_keys = Secret(_env.signing_keys_arn, CredentialSource(), parse_signing_keys, observer=_observer)


def _uploads(settings: Settings) -> UploadApi:
    return UploadApi(
        presigner=_forms,
        index=_index,
        keys=_keys,
        counters=_counters,
        observer=_observer,
        max_bytes=settings.max_source_bytes,
        converted_formats=settings.converted_formats,
    )


_service = SettingsBound(LiveSettings(S3Bucket(_s3, _env.media_bucket).read, _observer), _uploads)


def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Answer an HTTP API event (payload format 2.0) of ``POST /uploads[/report]`` or ``GET /uploads/{key+}``."""
    _observer.begin(context)
    with _observer.message("answer", route=event["routeKey"]):
        return respond(_observer, lambda: _respond(event))


def _respond(event: dict[str, Any]) -> HttpResponse:
    service = _service()
    grant = service.authorise(read_bearer_token(event))
    match event["routeKey"]:
        case "POST /uploads":
            return json_response(201, service.presign(grant, read_body(event)))
        case "POST /uploads/report":
            return json_response(202, service.report(grant, read_body(event)))
    return json_response(200, service.read_status(grant, parse_key(event["pathParameters"]["key"])))
