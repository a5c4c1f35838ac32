"""Signed URLs of textures."""

from __future__ import annotations

from darkroom.plan.presets import Presets, load_default_presets
from darkroom.plan.url_builder import sign_query

from .request import FORMAT, parse_request, texture_path


def sign_url(
    key: str, query: str, signing_key: str, expires_s: int | None = None, presets: Presets | None = None
) -> str:
    """Return the signed path and query of a texture of the image ``key``, valid until ``expires_s`` (Unix time).

    ``f=ktx2`` is added. ``presets`` are the server's, by default those that Darkroom ships with. Raises DarkroomError
    where the result is no valid request.
    """
    path, query = texture_path(key), f"f={FORMAT}&{query}" if query else f"f={FORMAT}"
    signed = sign_query(f"{path}?{query}", signing_key, expires_s)
    parse_request(path, signed.partition("?")[2], presets or load_default_presets())
    return signed
