"""Connect dialects to the transform function, on the first request that needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from darkroom.aws.secrets import Secret
from darkroom.errors import DarkroomError, Unavailable
from darkroom.http.response import EdgeRequest, Responded, guard, respond_error
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.transform import Transform
from darkroom.settings import OFF, Settings

from ..common.settings import DialectSettings
from ..registry import DIALECTS
from ..settings_file import apply_settings, load_settings
from .delivery import Delivery
from .request import DialectRequest
from .service import DialectService
from .signing_keys import KeysSecret, parse_keys

if TYPE_CHECKING:
    from darkroom.aws.credentials import CredentialSource
    from darkroom.aws.telemetry import Observer


def build_service(settings: Settings, transform: Transform, keys: KeysSecret) -> DialectService:
    """Build the service by ``settings``."""
    return DialectService(
        transform=transform,
        delivery=Delivery(transform.media, transform.keys, settings.dialect_max_age_s),
        keys=keys,
        modes=dialect_modes(settings),
        rejects_oversized_box=settings.iiif_oversized_box == "reject",
        metadata=settings.metadata,
        settings=lambda: load_dialect_settings(settings),
    )


def load_dialect_settings(settings: Settings) -> DialectSettings:
    """Return the settings of dialects that ``settings`` result in. Raises Unavailable for a mistake in a file."""
    return apply_settings(_load_settings(settings.dialects), settings)


def dialect_modes(settings: Settings) -> Mapping[str, AccessMode]:
    """Return the access mode by dialect, without dialects that are off."""
    modes = {dialect.name: str(getattr(settings, dialect.mode_setting)) for dialect in DIALECTS}
    return {name: AccessMode(mode) for name, mode in modes.items() if mode != OFF}


def _load_settings(further: str = "") -> DialectSettings:
    """Return the settings. Raises Unavailable for a mistake, which ``sam build`` and ``darkroom settings`` reject."""
    try:
        return load_settings(further)
    except Exception as error:
        raise Unavailable(detail=f"dialects.toml, presets.toml or the setting dialects: {error!r}") from error


def connect_keys(secret_arn: str, credentials: CredentialSource, observer: Observer) -> KeysSecret:
    """Return the keys of all dialects in the secret ``secret_arn``. Sends no request yet."""
    return Secret(secret_arn, credentials, parse_keys, observer=observer)


def respond(service: DialectService, request: EdgeRequest) -> Responded:
    """Respond to a request for a URL of a dialect."""
    service.transform.observer.annotate("dialect", request.dialect)
    parsed = DialectRequest.from_headers(request.method, request.headers)
    result = guard(lambda: service.respond(request.dialect, parsed))
    return respond_error(result, request) if isinstance(result, DarkroomError) else result
