"""Access to studies: bearer tokens for viewers, signed URLs for single images.

A token is ``<grant>.<signature>``, both unpadded base64url. The grant is ``<expires>:<study>``: Unix time, and the
replaced UID of a study, or ``*`` for all. The signature is HMAC-SHA256 over ``medical-token:`` and the encoded grant,
with a key that also signs URLs; those begin with a slash, and upload tokens with another word.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from darkroom.errors import BadOption, BadSignature, BadToken, Expired, NotGranted, Unsigned
from darkroom.signing import KeySource, encode_base64url, is_signed, remove_signature, sign_message, try_keys

from .uids import REPLACED

MAX_TOKEN_LASTS_S = 86_400
"""Longest validity of a token."""

ALL_STUDIES = "*"
_DOMAIN = "medical-token:"
_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{43})")
_GRANT = re.compile(r"([1-9][0-9]{0,10}):(\*|2\.25\.[0-9]{1,39})")

type Keys = KeySource[tuple[str, ...]]


class Grant(NamedTuple):
    """A study, or all, until ``expires_s`` (Unix time)."""

    expires_s: int
    study: str


def make_token(grant: Grant, key: str) -> str:
    """Make a token; raises BadToken for a study that is no replaced UID."""
    if grant.study != ALL_STUDIES and REPLACED.fullmatch(grant.study) is None:
        raise BadToken("A token is for the replaced UID of a study, or for *")
    encoded = encode_base64url(f"{grant.expires_s}:{grant.study}".encode())
    return f"{encoded}.{sign_message(_DOMAIN + encoded, key)}"


def verify_token(token: str, keys: Sequence[str], now_s: float) -> Grant:
    """Return the grant of a token; raises BadToken."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise BadToken("The token is malformed")
    encoded, signature = parts.groups()
    if not is_signed(_DOMAIN + encoded, signature, keys):
        raise BadToken("The token was not made with a valid key")
    text = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii", "replace")
    found = _GRANT.fullmatch(text)
    if found is None:
        raise BadToken("The token is malformed")
    grant = Grant(int(found[1]), found[2])
    if now_s >= grant.expires_s:
        raise BadToken("The token has expired")
    if grant.expires_s > now_s + MAX_TOKEN_LASTS_S:
        raise BadToken(f"The token is valid for more than {MAX_TOKEN_LASTS_S} seconds")
    return grant


def sign_target(target: str, key: str, expires_s: int) -> str:
    """Return a path with its query, which gets ``exp`` and the signature."""
    joined = f"{target}{'&' if '?' in target else '?'}exp={expires_s}"
    return f"{joined}&s={sign_message(joined, key)}"


def authorise(event: Mapping[str, Any], study: str, query: Mapping[str, str], keys: Keys, now_s: float) -> None:
    """Check that a request may read ``study``: raises BadToken, NotGranted, Unsigned, BadSignature or Expired."""
    scheme, _, token = str((event.get("headers") or {}).get("authorization", "")).partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise BadToken("Send a token in the header Authorization: Bearer <token>")
        grant = try_keys(keys, lambda valid: verify_token(token.strip(), valid, now_s), BadToken)
        if grant.study not in (ALL_STUDIES, study):
            raise NotGranted("The token is for another study")
        return
    _verify_signature(f"{event['rawPath']}?{event.get('rawQueryString', '')}", query, keys, now_s)


def _verify_signature(target: str, query: Mapping[str, str], keys: Keys, now_s: float) -> None:
    signature, expires = query.get("s", ""), query.get("exp", "")
    if not signature:
        raise Unsigned("Medical images need a token or a signature")
    if not re.fullmatch(r"[0-9]{1,11}", expires):
        raise BadOption("A signed URL has exp, a Unix time in seconds", option="exp")
    text = remove_signature(target)

    def check(valid: tuple[str, ...]) -> None:
        if not is_signed(text, signature, valid):
            raise BadSignature(f"The signature does not match '{text}'")

    try_keys(keys, check, BadSignature)
    if now_s >= int(expires):
        raise Expired
