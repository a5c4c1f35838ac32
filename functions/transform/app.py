"""The transform function: CloudFront's origin request in, a picture out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from darkroom.aws.secrets import SigningKeys
from darkroom.aws.switches import LOAD_SHEDDING, Switches, fast_reader
from darkroom.aws.telemetry import LightObserver
from darkroom.errors import DarkroomError
from darkroom.http.edge import respond
from darkroom.plan.canonical import parse_path
from darkroom.plan.policy import AccessMode
from darkroom.services.live_settings import LiveSettings
from darkroom.services.master_reader import MasterReader
from darkroom.services.request_log import log_image_request
from darkroom.services.restart import restart_if_abandoned
from darkroom.services.s3_keys import master_names
from darkroom.services.serve.answers import Failed, HttpResponse, to_response
from darkroom.services.serve.live import LiveTransform
from darkroom.services.serve.prefetch import Prefetch
from darkroom.services.serve.transform import Transform
from darkroom.services.service_settings import build_cache_policy, build_source_limits

if TYPE_CHECKING:
    from darkroom.dialects.serving.service import DialectService
    from darkroom.dialects.serving.signing_keys import KeysSecret
    from darkroom.plan.presets import Presets
    from darkroom.settings import Settings

_env = dict(os.environ)
_observer = LightObserver("transform")
_credentials = CredentialSource()
_media = connect(_env["MEDIA_BUCKET"], _credentials)
_same = _env.get("SOURCE_BUCKET", "") in ("", _env["MEDIA_BUCKET"])
_source = _media if _same else connect(_env["SOURCE_BUCKET"], _credentials)
_keys = SigningKeys(_env["SIGNING_KEYS_ARN"], _credentials, observer=_observer)
_sparing = partial(Switches(fast_reader(_media)).is_on, LOAD_SHEDDING)
_scenes = MasterReader()
_live = LiveSettings(fast_reader(_media), _observer)


def _build(settings: Settings, ahead: Prefetch) -> Transform:
    return Transform(
        source=_source,
        source_names=master_names(_env),
        media=_media,
        stores=settings.store_derivatives,
        keys=_keys,
        mode=AccessMode(settings.access_mode),
        inference=_env.get("INFERENCE_MODE", "off") != "off",
        always=settings.always_redact,
        presets=lambda: settings.presets,
        limits=build_source_limits(settings),
        caching=build_cache_policy(settings, refines=_env.get("REFINE") == "on"),
        observer=_observer,
        is_load_shedding=_sparing,
        scenes=_scenes,
        prefetched=ahead,
    )


_transform = LiveTransform(_live, _build)


@restart_if_abandoned
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
        try:
            response, error = _respond(event["rawPath"], method, headers)
        except DarkroomError as raised:  # no settings to answer by
            response, error = to_response(Failed(raised), method=method, viewer_url=""), raised
        log_image_request(_observer, int(str(response["statusCode"])), error, time.perf_counter() - started)
        return response


def _respond(path: str, method: str, headers: Mapping[str, str]) -> tuple[HttpResponse, DarkroomError | None]:
    if language := headers.get("x-darkroom-language"):
        from darkroom.dialects.serving.handler import respond as respond_in
        from darkroom.dialects.serving.request import DialectRequest

        def begin_in(transform: Transform, presets: Callable[[], Presets]) -> None:
            _languages(transform).begin(language, DialectRequest.from_headers(method, headers), presets)

        with _transform.open(begin_in) as service:
            return respond_in(_languages(service), language, method, headers)

    def begin(transform: Transform, presets: Callable[[], Presets]) -> None:
        transform.prefetch(parse_path(path), presets)

    with _transform.open(begin) as service:
        return respond(service, path, method, headers)


@cache
def _language_keys() -> KeysSecret:
    from darkroom.dialects.serving.handler import connect_keys

    return connect_keys(_env.get("LANGUAGE_KEYS_ARN", ""), _credentials, _observer)


def _languages(transform: Transform) -> DialectService:
    """Dialects are loaded with the first request that needs them: cold starts of native URLs do without."""
    from darkroom.dialects.serving.handler import build_service

    return build_service(_live.last_known, transform, _language_keys())
