"""Build and sign URLs of textures, as an application does that has the key."""

from __future__ import annotations

from collections.abc import Mapping

from ..plan.presets import load_default_presets
from ..plan.url_builder import OptionValue, format_query
from ..signing import Purpose, sign_message
from .request import FORMAT, parse_request, texture_path


def build_texture_target(key: str, options: Mapping[str, OptionValue]) -> str:
    """Build the path and query of a texture of the image ``key``, with ``f=ktx2`` and options in alphabetical order.

    With a preset, whose options the server's settings define, the others are not checked. Raises a DarkroomError for a
    key that no image can have, and for an option or value that no texture has.
    """
    given = {**options, "f": FORMAT}
    path, query = texture_path(key), format_query({name: given[name] for name in sorted(given)})
    if "preset" not in options:
        parse_request(path, query, load_default_presets())
    return f"{path}?{query}"


def sign_texture(target: str, signing_key: str, expires_s: int | None = None) -> str:
    """Add a signature over ``target``, a path with a query, as it is written, valid until ``expires_s`` (Unix time)."""
    text = target if expires_s is None else f"{target}&exp={expires_s}"
    return f"{text}&s={sign_message(text, signing_key, Purpose.IMAGE)}"
