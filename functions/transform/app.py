"""The transform function: CloudFront's origin request in, a picture out."""

from __future__ import annotations

import os
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.objects import connect
from darkroom.aws.secrets import SigningKeys
from darkroom.aws.switches import PRESETS_ONLY, Switches, in_bucket
from darkroom.aws.telemetry import LightObserver
from darkroom.plan.policy import AccessMode
from darkroom.plan.redaction import AlwaysRedact
from darkroom.services.answers import HttpResponse
from darkroom.services.native import respond
from darkroom.services.settings import cache_policy, limits
from darkroom.services.telling import tell_viewer
from darkroom.services.transform import Transform

if TYPE_CHECKING:
    from darkroom.services.languages.service import Languages

_env = os.environ
_observer = LightObserver("transform")
_credentials = CredentialSource()
_media = connect(_env["MEDIA_BUCKET"], _credentials)
_same = _env.get("SOURCE_BUCKET", "") in ("", _env["MEDIA_BUCKET"])

_service = Transform(
    source=_media if _same else connect(_env["SOURCE_BUCKET"], _credentials),
    source_prefix=_env.get("SOURCE_PREFIX", "masters/"),
    media=_media,
    stores=_env.get("STORE_DERIVATIVES", "on") != "off",
    keys=SigningKeys(_env["SIGNING_KEYS_ARN"], _credentials),
    mode=AccessMode(_env.get("ACCESS_MODE", "guarded")),
    inference=_env.get("INFERENCE_MODE", "off") != "off",
    always=AlwaysRedact.parse(_env.get("ALWAYS_REDACT", "")),
    limits=limits(_env),
    caching=cache_policy(_env),
    observer=_observer,
    sparing=partial(Switches(in_bucket(_media)).on, PRESETS_ONLY),
)


def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Answer a Lambda Function URL event (payload format 2.0)."""
    headers = event.get("headers") or {}
    edge_request_id = headers.get("x-amz-cf-id", "")
    _observer.begin(context)
    with _observer.message("answer", correlation_id=edge_request_id, path=event["rawPath"]):
        if edge_request_id:
            _observer.annotate("edge_request_id", edge_request_id)
        started = time.perf_counter()
        method = event["requestContext"]["http"]["method"]
        if language := headers.get("x-darkroom-language"):
            from darkroom.services.languages.entry import respond as respond_in

            response, error = respond_in(_languages(), language, method, headers)
        else:
            response, error = respond(_service, event["rawPath"], method, headers)
        tell_viewer(_observer, int(str(response["statusCode"])), error, time.perf_counter() - started)
        return response


@cache
def _languages() -> Languages:
    """Those of other services: most deployments have none, and no cold start of a native URL waits for them."""
    from darkroom.services.languages.entry import connected

    return connected(_env, _service, _credentials)
