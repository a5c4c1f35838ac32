"""The way from the transform function into the languages: made for the first request that needs them."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ...aws.secrets import Secret
from ...errors import DarkroomError, Unavailable
from ...services.serve.answers import Failed, HttpResponse, to_response
from ...services.serve.transform import Transform
from ...services.service_settings import dialect_modes
from ...settings import Settings
from ..common.settings import DialectSettings, load_settings
from .delivery import Delivery
from .request import DialectRequest
from .service import DialectService
from .signing_keys import KeysSecret, parse_keys

if TYPE_CHECKING:
    from ...aws.credentials import CredentialSource
    from ...aws.telemetry.protocol import Observer

type Responded = tuple[HttpResponse, DarkroomError | None]


def build_service(settings: Settings, transform: Transform, keys: KeysSecret) -> DialectService:
    """The dialects by ``settings``, beside the ``transform`` that was built by them."""
    return DialectService(
        transform=transform,
        delivery=Delivery(transform.media, transform.keys, settings.dialect_max_age_s),
        keys=keys,
        modes=dialect_modes(settings),
        rejects_oversized_box=settings.iiif_oversized_box == "reject",
        settings=lambda: replace(_load_settings(), watermarks=settings.presets.watermarks, presets=settings.presets),
    )


def _load_settings() -> DialectSettings:
    """The settings of dialects; raises Unavailable for a file with a mistake, which a build refuses."""
    try:
        return load_settings()
    except Exception as error:
        raise Unavailable(detail=f"dialects.toml or presets.toml: {error!r}") from error


def connect_keys(secret_arn: str, credentials: CredentialSource, observer: Observer) -> KeysSecret:
    """The keys of all dialects in the secret ``secret_arn``. Sends nothing yet."""
    return Secret(secret_arn, credentials, parse_keys, observer=observer)


def respond(service: DialectService, name: str, method: str, headers: Mapping[str, str]) -> Responded:
    """The answer to a request with these ``headers`` (names in lower case) in the language ``name``, and its error."""
    service.transform.observer.annotate("language", name)
    try:
        return service.respond(name, DialectRequest.from_headers(method, headers)), None
    except DarkroomError as raised:
        error = raised
    except Exception:  # a defect must answer as a problem too, not as Lambda's own error page
        error = DarkroomError(detail=traceback.format_exc())
    return to_response(Failed(error), method=method, viewer_url=""), error
