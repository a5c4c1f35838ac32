"""The refine function: re-encodes derivatives and replaces them by smaller ones."""

from __future__ import annotations

from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from darkroom.environment import RefineEnvironment
from darkroom.image_keys import master_names
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.option_plugins import register_plugin
from darkroom.services.deadline import restart_if_abandoned
from darkroom.services.live_settings import LiveSettings, SettingsBound, build_cache_policy, build_source_limits
from darkroom.settings import Settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.sagemaker import Endpoint
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.content_credentials import build_signer
from darkroom_pipeline.reencode.service import ReencodeConsumer, Reencoder
from darkroom_pipeline.services.sqs_batch import process_batch

register_plugin(OVERLAYS)

_env = RefineEnvironment()
_sqs, _credentials = create_client("sqs"), CredentialSource()
_observer = PowertoolsObserver("refine")
_source = connect(_env.master_bucket, _credentials)
_media = connect(_env.media_bucket, _credentials)
UPSCALE_TIMEOUT_S = 58.0
"""Longer than the endpoint lets a request wait (55 s), shorter than SageMaker does (60 s)."""


def _open_endpoint(settings: Settings) -> Endpoint | None:
    """Return the endpoint, if the deployment has one and images may be enlarged."""
    if not (_env.endpoint_name and settings.upscale_prefixes):
        return None
    client = create_client("sagemaker-runtime", _env.variables, read_s=UPSCALE_TIMEOUT_S, attempts=1)
    return Endpoint(client, _env.endpoint_name)


def _open_inbox(settings: Settings) -> ReencodeConsumer:
    source, names = _source, master_names(_env)
    if settings.sources:
        from darkroom.origins.routing import KEYS, route_masters

        source, names = route_masters(source, names, settings, _credentials), KEYS
    return ReencodeConsumer(
        reencoder=Reencoder(
            source=source,
            media=_media,
            observer=_observer,
            source_names=names,
            always=settings.forced,
            presets=lambda: settings.presets,
            default_quality=settings.default_quality,
            limits=build_source_limits(settings),
            caching=build_cache_policy(settings, refines=_env.refine),
            mezzanines=settings.mezzanines and _env.owns_masters,
            signer=build_signer(_env, settings, _observer),
            endpoint=_open_endpoint(settings),
            upscale_prefixes=settings.upscale_prefixes,
        ),
        observer=_observer,
        queue=Queue(_sqs, _env.refine_queue_url, _observer.trace_header),
        dead_letters=Queue(_sqs, _env.refine_dlq_url, _observer.trace_header),
        max_receives=_env.max_receives,
    )


_inbox = SettingsBound(LiveSettings(_media.read, _observer), _open_inbox)


@restart_if_abandoned
def handler(event: dict[str, Any], context: Any) -> Any:
    """Process a batch of SQS messages; return those that are to be retried."""
    _observer.begin(context)
    return process_batch(event, context, lambda message, remaining_s: _inbox().receive(message, remaining_s))
