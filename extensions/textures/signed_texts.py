"""Signed texts of textures for the test vectors of signers, and what verifies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from darkroom.plan.presets import load_default_presets
from darkroom.signing import KeySource, Purpose, verify
from textures.request import parse_request

TEXTS: Mapping[Purpose, Sequence[str]] = {
    Purpose.IMAGE: (
        "/stone/rock.jpg/_/texture?f=ktx2&w=1024",
        "/caf.-C3A9.jpg/_/texture?f=ktx2&h=512&codec=uastc&space=linear&exp=1900000000",
    )
}


def accept(text: str, signature: str, keys: KeySource[tuple[str, ...]], now_s: float) -> None:
    """Raise DarkroomError unless the function would render this texture."""
    path, _, query = f"{text}&s={signature}".partition("?")
    found = parse_request(path, query, load_default_presets())
    verify(found.path, found.signature, found.expires_s, keys.get(), now_s, url=found.url)
