"""The similar function: finds images similar to one, and images with a tag, for the HTTP API."""

from __future__ import annotations

from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.secrets import Secret
from darkroom.environment import SimilarEnvironment
from darkroom.http.response import HttpResponse, json_response
from darkroom.image_keys import unquote
from darkroom.services.live_settings import LiveSettings, SettingsBound, build_task_rules
from darkroom.settings import Settings
from darkroom.signing import parse_signing_keys
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.vectors.factory import open_tags, open_vectors
from darkroom_pipeline.http.api import parse_key, read_bearer_token, respond
from darkroom_pipeline.services.similarity import SimilaritySearch

_env = SimilarEnvironment()
_observer = PowertoolsObserver("similar")
_dynamodb = create_client("dynamodb", _env.variables)
_vectors, _tags = open_vectors(_env, _dynamodb), open_tags(_env, _dynamodb)
_index, _keys = (
    Index(_dynamodb, _env.index_table),
    Secret(_env.signing_keys_arn, CredentialSource(), parse_signing_keys, observer=_observer),
)


def _similar(settings: Settings) -> SimilaritySearch:
    return SimilaritySearch(
        vectors=_vectors,
        tags=_tags,
        index=_index,
        keys=_keys,
        tasks=build_task_rules(settings).list_all() if _env.inference_mode != "off" else (),
    )


_service = SettingsBound(LiveSettings(S3Bucket(create_client("s3"), _env.media_bucket).read, _observer), _similar)


def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Respond to an HTTP API event (payload format 2.0) of ``GET /_similar/{key+}`` or ``GET /_tagged/{tag+}``."""
    _observer.begin(context)
    with _observer.message("answer", route=event["routeKey"]):
        return respond(_observer, lambda: _respond(event))


def _respond(event: dict[str, Any]) -> HttpResponse:
    service = _service()
    grant = service.authorise(read_bearer_token(event))
    path, query = event["pathParameters"], event.get("queryStringParameters") or {}
    count = query.get("count", "")
    if "tag" in path:
        return json_response(200, service.find_tagged(grant, _unquote(path["tag"]), count, query.get("after", "")))
    return json_response(200, service.find(grant, parse_key(path["key"]), count, query.get("basis", "")))


def _unquote(text: str) -> str:
    """Decode a part of the path: an HTTP API decodes it, except for ``%25``."""
    try:
        return unquote(text)
    except ValueError:
        return text
