"""Signed URLs of textures."""

from __future__ import annotations

from darkroom.plan.presets import Presets, load_default_presets
from darkroom.signing import sign_message
from darkroom.textures.request import FORMAT, parse_request, texture_path


def sign_url(
    key: str, query: str, signing_key: str, expires_s: int | None = None, presets: Presets | None = None
) -> str:
    """Return the signed path and query of a texture of the image ``key``, valid until ``expires_s`` (Unix time).

    ``f=ktx2`` is added. ``presets`` are the server's, by default those that Darkroom ships with. Raises DarkroomError
    where the result is no valid request.
    """
    path = texture_path(key)
    expiry = "" if expires_s is None else f"&exp={expires_s}"
    query = f"f={FORMAT}&{query}{expiry}" if query else f"f={FORMAT}{expiry}"
    parse_request(path, query, presets or load_default_presets())
    return f"{path}?{query}&s={sign_message(f'{path}?{query}', signing_key)}"
