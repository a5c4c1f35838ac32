"""A text that is valid for the purpose of this extension, and what accepts a signature of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from darkroom.signing import Purpose, encode_base64url
from evidence.tokens import TOKEN, verify_token

KEY = "0123456789abcdef0123456789abcdef"
NOW_S, EXPIRES_S = 1_800_000_000, 1_800_000_900
GRANT = encode_base64url(f"{EXPIRES_S}:ada:trips/".encode())

CREDENTIALS: Mapping[Purpose, tuple[str, Callable[[str], object]]] = {
    TOKEN: (GRANT, lambda one: verify_token(f"{GRANT}.{one}", [KEY], NOW_S)),
}
