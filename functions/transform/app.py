"""The transform function: renders images for CloudFront's origin requests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from darkroom.aws.secrets import Secret
from darkroom.aws.switches import LOAD_SHEDDING, Switches
from darkroom.aws.telemetry import LightObserver
from darkroom.environment import TransformEnvironment
from darkroom.errors import DarkroomError
from darkroom.http.response import EdgeRequest, HttpResponse, Responded, find_error_page, respond, respond_error
from darkroom.image_keys import master_names
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.canonical import parse_path
from darkroom.plan.option_plugins import register_plugin
from darkroom.plan.variants import AUTO, AccessMode
from darkroom.services.after_response import finish_with, register
from darkroom.services.deadline import restart_if_abandoned
from darkroom.services.live_settings import LiveSettings, build_cache_policy, build_source_limits
from darkroom.services.master_reader import MasterReader
from darkroom.services.request_metrics import log_image_request
from darkroom.services.serve.rendering import Prefetch, load_renderer, store_before_response
from darkroom.services.serve.transform import LiveTransform, Transform
from darkroom.signing import parse_signing_keys

if TYPE_CHECKING:
    from darkroom.plan.presets import Presets
    from darkroom.services.serve.answers import TransformRequest
    from darkroom.services.serve.store_policy import StorePolicy
    from darkroom.settings import Settings
    from darkroom_dialects.serving.service import DialectService
    from darkroom_dialects.serving.signing_keys import KeysSecret

register_plugin(OVERLAYS)

_env = TransformEnvironment()
_observer = LightObserver("transform")
_credentials = CredentialSource()
_media = connect(_env.media_bucket, _credentials)
_source = _media if _env.owns_masters else connect(_env.master_bucket, _credentials)
_keys = Secret(_env.signing_keys_arn, _credentials, parse_signing_keys, observer=_observer)
_is_load_shedding = partial(Switches(_media.read).is_on, LOAD_SHEDDING)
_master_reader = MasterReader()
_live = LiveSettings(_media.read, _observer)
_extension = register() if _env.store_after_response else None
if _extension:
    _observer.export_after_response(_extension.defer)
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand":
    load_renderer()  # SnapStart and provisioned concurrency: the init phase is not part of any request


def _build(settings: Settings, prefetch: Prefetch) -> Transform:
    transform = Transform(
        source=_source,
        source_names=master_names(_env),
        media=_media,
        stores=settings.store_derivatives,
        mezzanines=settings.mezzanines and _env.owns_masters,
        keys=_keys,
        mode=AccessMode(settings.access_mode),
        private_prefixes=settings.private_prefixes,
        edge_verifies=_env.has_edge_store,
        fallback_images=settings.fallback_images,
        inference=_env.inference_mode != "off",
        cutout_prefixes=settings.cutout_prefixes,
        upscale_prefixes=settings.upscale_prefixes,
        always=settings.forced,
        presets=cache(lambda: settings.presets),
        default_quality=settings.default_quality,
        limits=build_source_limits(settings),
        caching=build_cache_policy(settings, refines=_env.refine),
        observer=_observer,
        is_load_shedding=_is_load_shedding,
        master_reader=_master_reader,
        prefetched=prefetch,
        defer=_extension.defer if _extension else store_before_response,
        store_policy=_store_policy() if settings.store_derivatives == AUTO else None,
    )
    if not settings.sources:
        return transform
    from darkroom.origins.routing import route_transform

    return route_transform(transform, settings, _credentials)


@cache
def _store_policy() -> StorePolicy:
    """One for the process: it counts misses, whatever other settings change."""
    from darkroom.services.serve.store_policy import build_store_policy

    return build_store_policy(cdn_reads=not _env.has_large_copies)


_transform = LiveTransform(_live, _build)


@finish_with(_extension)
@restart_if_abandoned
def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Respond to a Lambda Function URL event (payload format 2.0)."""
    request = EdgeRequest.parse(event)
    _observer.begin(context)
    with _observer.message("answer", correlation_id=request.request_id, path=request.path):
        if request.request_id:
            _observer.annotate("edge_request_id", request.request_id)
        started = time.perf_counter()
        try:
            response, error = _respond(request)
        except DarkroomError as raised:  # there are no settings to answer by
            response, error = respond_error(raised, request)
        log_image_request(_observer, int(str(response["statusCode"])), error, time.perf_counter() - started)
        return response


def _respond(request: EdgeRequest) -> Responded:
    if (page := find_error_page(request.path)) is not None:
        return page, None
    if request.dialect and _env.language_keys_arn:  # without dialects, a header of this name is the viewer's
        from darkroom_dialects.serving.handler import respond as respond_in_dialect
        from darkroom_dialects.serving.request import DialectRequest

        def start_in_dialect(transform: Transform, presets: Callable[[], Presets]) -> None:
            parsed = DialectRequest.from_headers(request.method, request.headers)
            _dialects(transform).begin(request.dialect, parsed, presets)

        with _transform.open(start_in_dialect) as transform:
            return respond_in_dialect(_dialects(transform), request)

    def start(transform: Transform, presets: Callable[[], Presets]) -> None:
        transform.prefetch(parse_path(request.path), presets)

    with _transform.open(start) as transform:
        return respond(transform, request, _locate_large if _env.has_large_copies else None)


def _locate_large(transform: Transform, request: TransformRequest, etag: str) -> str:
    """Return the path of the copy of a derivative that is too large for a response."""
    from darkroom.services.serve.large_copies import LargeCopies

    plan = parse_path(request.path)
    copies = LargeCopies(transform.media, transform.keys)
    return copies.locate(plan, etag, private=transform.is_private(plan.key))


@cache
def _dialect_keys() -> KeysSecret:
    from darkroom_dialects.serving.handler import connect_keys

    return connect_keys(_env.language_keys_arn, _credentials, _observer)


def _dialects(transform: Transform) -> DialectService:
    """Dialects are loaded with the first request that needs them: cold starts of native URLs do without."""
    from darkroom_dialects.serving.handler import build_service

    return build_service(_live.last_known, transform, _dialect_keys())
