"""The similar function: an HTTP API's request in, the pictures that are like one out."""

from __future__ import annotations

import os
from typing import Any

from darkroom.aws.clients import client
from darkroom.aws.credentials import CredentialSource
from darkroom.aws.index import Index
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.secrets import SigningKeys
from darkroom.aws.switches import reader
from darkroom.aws.telemetry.powertools import PowertoolsObserver
from darkroom.aws.vectors.dynamodb import DynamoDBVectors
from darkroom.aws.vectors.factory import open_vectors
from darkroom.findings import SIMILARITY
from darkroom.http.api import respond
from darkroom.services.live_settings import LiveSettings, SettingsBound
from darkroom.services.serve.answers import HttpResponse
from darkroom.services.similarity import SimilarityRequest, SimilaritySearch
from darkroom.settings import Settings

_env = dict(os.environ)
_observer = PowertoolsObserver("similar")
_vectors = open_vectors(_env)
_index, _keys = (
    Index(client("dynamodb", _env), _env["INDEX_TABLE"]),
    SigningKeys(_env["SIGNING_KEYS_ARN"], CredentialSource(), observer=_observer),
)


def _similar(settings: Settings) -> SimilaritySearch:
    return SimilaritySearch(
        vectors=_vectors,
        hashes=_vectors if isinstance(_vectors, DynamoDBVectors) else None,
        index=_index,
        keys=_keys,
        analyses=_env.get("INFERENCE_MODE", "off") != "off" and SIMILARITY in settings.tasks,
    )


_service = SettingsBound(LiveSettings(reader(S3Bucket(client("s3"), _env["MEDIA_BUCKET"])), _observer), _similar)


def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Answer an HTTP API event (payload format 2.0) of ``GET /_similar/{key+}``."""
    _observer.begin(context)
    with _observer.message("answer", route=event["routeKey"]):
        return respond(_observer, lambda: _service().answer(_decoded(event)))


def _decoded(event: dict[str, Any]) -> SimilarityRequest:
    return SimilarityRequest(
        authorization=event["headers"].get("authorization", ""),
        key_path=event["pathParameters"]["key"],
        count=(event.get("queryStringParameters") or {}).get("count", ""),
    )
