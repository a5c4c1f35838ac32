"""Content Credentials of the C2PA: read at ingest, and signed derivatives. The core does not import this package.

``app.py`` passes what these functions return to services. The C2PA's library is loaded with the first file that needs
it; only a deployment with ``ContentCredentials=on`` has it.
"""

from __future__ import annotations

from collections.abc import Callable

from darkroom.aws.telemetry import Observer
from darkroom.environment import CredentialsEnvironment
from darkroom.settings import Settings

from ..aws.clients import create_client
from ..services.manifests import TRUST_ANCHORS, CredentialReader, DerivativeSigner, UploadCredentials


def build_reader(env: CredentialsEnvironment, read: Callable[[str], bytes | None]) -> CredentialReader | None:
    """Return what reads Content Credentials of uploads, None if the deployment is without; ``read`` reads its media."""
    if not env.has_content_credentials:
        return None

    def read_upload(data: bytes, media_type: str) -> UploadCredentials:
        from .reader import read_credentials  # few uploads have some

        return read_credentials(data, media_type, read(TRUST_ANCHORS) or b"")

    return read_upload


def build_signer(env: CredentialsEnvironment, settings: Settings, observer: Observer) -> DerivativeSigner | None:
    """Return what signs derivatives, None if ``settings`` or the deployment are without."""
    if not settings.sign_derivatives:
        return None
    if not env.has_content_credentials:
        observer.log("WARNING", "derivatives not signed", detail="sign_derivatives needs ContentCredentials=on")
        return None
    from darkroom.aws.credentials import CredentialSource
    from darkroom.aws.secrets import Secret

    from .signer import ManifestSigner, parse_signing_key

    return ManifestSigner(
        Secret(env.credentials_secret, CredentialSource(), parse_signing_key, observer=observer),
        lambda: create_client("kms", env.variables),
        base_url=settings.manifest_base_url,
        room_bytes=settings.max_manifest_bytes,
    )
