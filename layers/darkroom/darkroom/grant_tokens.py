"""Tokens of what a client may do: ``<grant>.<signature>``, both unpadded base64url.

The grant is a text, with the end of the token's validity. The signature (:mod:`.signing`) is over the encoded grant,
for the purpose of the kind of token, so that no signature is valid for another kind.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .errors import BadKey, BadToken
from .signing import Purpose, encode_base64url, is_signed, sign_message

MAX_TOKEN_LASTS_S = 86_400
"""Longest validity of a token. A longer one is rejected as a probable mistake in its time."""

_SIGNED = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")


class Expiring(Protocol):
    """A grant that ends."""

    @property
    def expires_s(self) -> int:
        """Return the end of the validity as Unix time."""


Grant = TypeVar("Grant", bound=Expiring)


@dataclass(frozen=True, slots=True)
class TokenKind(Generic[Grant]):
    """A kind of token. ``name`` is what messages call it, such as ``upload token``.

    ``max_characters`` limits the encoded grant. ``parse`` returns the grant of a text, or None for another text; it may
    raise ValueError and BadKey.
    """

    name: str
    purpose: Purpose
    max_characters: int
    parse: Callable[[str], Grant | None]

    def make(self, text: str, key: str) -> str:
        """Make the token of the grant ``text`` with a signing key; raises BadToken for a text that is no grant."""
        encoded = encode_base64url(text.encode())
        self._decode(encoded)
        return f"{encoded}.{sign_message(encoded, key, self.purpose)}"

    def verify(self, token: str, keys: Sequence[str], now_s: float) -> Grant:
        """Return the grant of a token; raises BadToken if none of ``keys`` made it or it has expired."""
        parts = _SIGNED.fullmatch(token)
        if parts is None or len(parts[1]) > self.max_characters:
            raise self._malformed()
        encoded, signature = parts.groups()
        if not is_signed(encoded, signature, keys, self.purpose):
            raise BadToken(f"The {self.name} was not made with a valid key")
        grant = self._decode(encoded)
        if now_s >= grant.expires_s:
            raise BadToken(f"The {self.name} has expired")
        if grant.expires_s > now_s + MAX_TOKEN_LASTS_S:
            raise BadToken(f"The {self.name} is valid for more than {MAX_TOKEN_LASTS_S} seconds")
        return grant

    def _decode(self, encoded: str) -> Grant:
        try:
            data = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            grant = self.parse(data.decode())
        except (ValueError, BadKey) as error:
            raise self._malformed(str(error)) from error
        if grant is None or encode_base64url(data) != encoded:
            raise self._malformed()
        return grant

    def _malformed(self, detail: str = "") -> BadToken:
        return BadToken(f"The {self.name} is malformed", detail=detail)
