"""Evidence tokens: who may read the reports of which images.

The grant of a token (:mod:`darkroom.grant_tokens`) is the text ``<expires>:<person>:<prefix>``: Unix time, the name
that the records of custody get, and the prefix of keys last, so that it needs no escapes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.grant_tokens import TokenKind
from darkroom.image_keys import check_key
from darkroom.services.upload_requests import Grant
from darkroom.signing import Purpose

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


def _parse_grant(text: str) -> EvidenceGrant | None:
    parts = _GRANT.fullmatch(text)
    if parts is None:
        return None
    expires, person, prefix = parts.groups()
    check_key(prefix.removesuffix("/"))
    return EvidenceGrant(prefix, int(expires), person)


TOKEN = Purpose("evidence-token")
_TOKENS = TokenKind("evidence token", TOKEN, 1400, _parse_grant)


def make_token(grant: EvidenceGrant, key: str) -> str:
    """Make a token of ``grant`` with a signing key; raises BadKey for an invalid prefix, BadToken for other parts."""
    check_key(grant.prefix.removesuffix("/"))
    return _TOKENS.make(f"{grant.expires_s}:{grant.person}:{grant.prefix}", key)


def verify_token(token: str, keys: Sequence[str], now_s: float) -> EvidenceGrant:
    """Return the grant of a token; raises BadToken if none of ``keys`` made it or it has expired."""
    return _TOKENS.verify(token, keys, now_s)
