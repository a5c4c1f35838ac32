"""Texts that are valid for each purpose of this extension, and what accepts signatures of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from darkroom.signing import Purpose, encode_base64url
from medical import access
from tests.fixed_keys import FixedKeys

KEY = "0123456789abcdef0123456789abcdef"
NOW_S, EXPIRES_S = 1_800_000_000, 1_800_000_900
STUDY = "/dicomweb/studies/2.25.1/series/2.25.2/instances/2.25.3/rendered"
GRANT = encode_base64url(f"{EXPIRES_S}:*".encode())


def accept_url(signature: str) -> None:
    """Raise DarkroomError unless ``signature`` opens the rendered image."""
    query = {"exp": str(EXPIRES_S), "s": signature}
    event = {"rawPath": STUDY, "rawQueryString": f"exp={EXPIRES_S}&s={signature}"}
    access.authorise(event, "2.25.1", query, FixedKeys((KEY,)), NOW_S)


CREDENTIALS: Mapping[Purpose, tuple[str, Callable[[str], object]]] = {
    access.URL: (f"{STUDY}?exp={EXPIRES_S}", accept_url),
    access.TOKEN: (GRANT, lambda one: access.verify_token(f"{GRANT}.{one}", [KEY], NOW_S)),
}
