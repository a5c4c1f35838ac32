"""The textures function: renders images as KTX2 textures for GPUs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from darkroom.aws.secrets import Secret
from darkroom.aws.switches import LOAD_SHEDDING, Switches
from darkroom.aws.telemetry import LightObserver
from darkroom.errors import DarkroomError
from darkroom.http.response import HttpResponse, to_response
from darkroom.image_keys import master_names
from darkroom.plan.variants import AccessMode
from darkroom.services.deadline import CpuLimit, restart_if_abandoned
from darkroom.services.live_settings import LiveSettings, SettingsBound, build_cache_policy, build_source_limits
from darkroom.services.request_metrics import log_request
from darkroom.services.serve.answers import Failed
from darkroom.services.serve.transform import Transform
from darkroom.settings import Settings
from darkroom.signing import parse_signing_keys
from textures.converter import TextureConverter
from textures.encoder import Encoder
from textures.environment import TexturesEnvironment
from textures.service import TextureService

_env = TexturesEnvironment()
_observer = LightObserver("textures")
_credentials = CredentialSource()
_media = connect(_env.media_bucket, _credentials)
_source = _media if _env.owns_masters else connect(_env.master_bucket, _credentials)
_keys = Secret(_env.signing_keys_arn, _credentials, parse_signing_keys, observer=_observer)
_switches = Switches(_media.read)
_converter = TextureConverter(Encoder(Path(_env.encoder_path)))
_LIMIT = CpuLimit(cpu_s=8.0, wall_s=10.0)
"""Of the render. With the encoder's 17 s it is below the 29 s that the HTTP API waits for."""


def _build(settings: Settings) -> TextureService:
    transform = Transform(
        source=_source,
        source_names=master_names(_env),
        media=_media,
        stores=True,  # an encode takes seconds: whatever the setting, it is not repeated for each edge location
        mezzanines=False,
        keys=_keys,
        mode=AccessMode(settings.access_mode),
        private_prefixes=settings.private_prefixes,
        always=settings.forced,
        presets=cache(lambda: settings.presets),
        limits=build_source_limits(settings),
        cpu_limit=_LIMIT,
        caching=build_cache_policy(settings, refines=False),
        observer=_observer,
        is_load_shedding=lambda: _switches.is_on(LOAD_SHEDDING),
        converter=_converter,
    )
    return TextureService(transform)


_service = SettingsBound(LiveSettings(_media.read, _observer), _build)


@restart_if_abandoned
def handler(event: dict[str, Any], context: Any) -> HttpResponse:
    """Respond to an HTTP API event (payload format 2.0)."""
    _observer.begin(context)
    with _observer.message("answer", path=event["rawPath"]):
        try:
            response, error = _service().respond(event)
        except DarkroomError as raised:  # there are no settings to answer by
            method = event["requestContext"]["http"]["method"]
            response, error = to_response(Failed(raised), method=method, viewer_url=""), raised
        log_request(_observer, int(str(response["statusCode"])), error)
        return response
