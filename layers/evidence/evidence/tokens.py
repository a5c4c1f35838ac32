"""Evidence tokens: who may read the reports of which images.

A token is ``<grant>.<signature>``, both unpadded base64url, as an upload token is. The grant is the text
``<expires>:<person>:<prefix>``: Unix time, the name that the records of custody get, and the prefix of keys last, so
that it needs no escapes. The signature is HMAC-SHA256, with a key that also signs URLs, over ``evidence-token:`` and
the encoded grant, so that no signature is valid for the other kinds.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.errors import BadKey, BadToken
from darkroom.image_keys import check_key
from darkroom.services.upload_requests import MAX_TOKEN_LASTS_S, Grant
from darkroom.signing import encode_base64url, is_signed, sign_message

_SIGNING_DOMAIN = "evidence-token:"
_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,1400})\.([A-Za-z0-9_-]{43})")
_GRANT = re.compile(r"([1-9][0-9]{0,9}):([A-Za-z0-9.@_+-]{1,100}):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EvidenceGrant:
    """What a token allows ``person`` until ``expires_s`` (Unix time): the reports of keys that ``prefix`` covers.

    A prefix that ends in a slash covers all keys below it, any other only the key of that name.
    """

    prefix: str
    expires_s: int
    person: str

    @property
    def keys(self) -> Grant:
        """The keys in the form that the search for near copies takes."""
        return Grant(self.prefix, self.expires_s)


def make_token(grant: EvidenceGrant, key: str) -> str:
    """Make a token of ``grant`` with a signing key; raises BadKey for an invalid prefix, BadToken for other parts."""
    check_key(grant.prefix.removesuffix("/"))
    encoded = encode_base64url(f"{grant.expires_s}:{grant.person}:{grant.prefix}".encode())
    _parse(encoded)
    return f"{encoded}.{sign_message(_SIGNING_DOMAIN + encoded, key)}"


def verify_token(token: str, keys: Sequence[str], now_s: float) -> EvidenceGrant:
    """Return the grant of a token; raises BadToken if none of ``keys`` made it or it has expired."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise BadToken("The evidence token is malformed")
    encoded, signature = parts.groups()
    if not is_signed(_SIGNING_DOMAIN + encoded, signature, keys):
        raise BadToken("The evidence token was not made with a valid key")
    grant = _parse(encoded)
    if now_s >= grant.expires_s:
        raise BadToken("The evidence token has expired")
    if grant.expires_s > now_s + MAX_TOKEN_LASTS_S:
        raise BadToken(f"The evidence token is valid for more than {MAX_TOKEN_LASTS_S} seconds")
    return grant


def _parse(encoded: str) -> EvidenceGrant:
    try:
        data = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        parts = _GRANT.fullmatch(data.decode())
        if parts is None or encode_base64url(data) != encoded:
            raise BadToken("The evidence token is malformed")
        expires, person, prefix = parts.groups()
        check_key(prefix.removesuffix("/"))
    except (ValueError, BadKey) as error:
        raise BadToken("The evidence token is malformed", detail=str(error)) from error
    return EvidenceGrant(prefix, int(expires), person)
