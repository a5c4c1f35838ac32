"""Signing keys of dialects on the local stack."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from local.events import LOCAL_KEY


def _derive_key(purpose: str) -> str:
    """Derive a key, the same for all local stacks, for each purpose."""
    return sha256(f"{LOCAL_KEY} {purpose}".encode()).hexdigest()


DOCUMENT: Mapping[str, list[object]] = {
    "imgproxy": [{"key": _derive_key("imgproxy key"), "salt": _derive_key("imgproxy salt")}],
    "thumbor": [_derive_key("thumbor")],
    "dit": [_derive_key("dit")],
    "imgix": [_derive_key("imgix")],
    "cloudinary": [_derive_key("cloudinary")],
}
"""The content of the secret: see :func:`darkroom_dialects.serving.signing_keys.parse_keys`."""
