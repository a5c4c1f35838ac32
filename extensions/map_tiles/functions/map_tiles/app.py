"""The tiles function: tiles and TileJSON of registered rasters."""

from __future__ import annotations

from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import connect
from darkroom.aws.secrets import Secret
from darkroom.aws.telemetry import LightObserver
from darkroom.environment import Environment
from darkroom.http.response import HttpResponse
from darkroom.services.request_metrics import log_request
from darkroom.signing import parse_signing_keys
from map_tiles.app import MapTiles
from map_tiles.gdal import s3_options
from map_tiles.rasters import RasterStore


class TilesEnvironment(Environment):
    """Variables of the function. ``public_url`` is the address of the tiles if it is not the CDN's own."""

    signing_keys_arn: str
    public_url: str = ""


_env = TilesEnvironment()
_observer = LightObserver("tiles")
_credentials = CredentialSource()
_store = RasterStore(
    connect(_env.media_bucket, _credentials), f"/vsis3/{_env.media_bucket}/", s3_options(_env.media_bucket)
)
_keys = Secret(_env.signing_keys_arn, _credentials, parse_signing_keys, observer=_observer)
_tiles = MapTiles(_store, _keys, _env.public_url)


def handler(event: dict[str, Any], context: object) -> HttpResponse:
    """Respond to a Lambda Function URL event (payload format 2.0)."""
    _observer.begin(context)
    with _observer.message("answer", path=event["rawPath"]):
        response, error = _tiles.respond(event)
        log_request(_observer, int(str(response["statusCode"])), error)
        return response
