"""Access to studies: bearer tokens for viewers, signed URLs for single images.

The grant of a token (:mod:`darkroom.grant_tokens`) is ``<expires>:<study>``: Unix time, and the replaced UID of a
study, or ``*`` for all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from darkroom.errors import BadOption, BadToken, NotGranted, Unsigned
from darkroom.grant_tokens import TokenKind
from darkroom.signing import KeySource, Purpose, remove_signature, sign_message, try_keys, verify_text

from .uids import REPLACED

URL, TOKEN = Purpose("medical-url"), Purpose("medical-token")
ALL_STUDIES = "*"
_GRANT = re.compile(r"([1-9][0-9]{0,10}):(\*|2\.25\.[0-9]{1,39})")

type Keys = KeySource[tuple[str, ...]]


class Grant(NamedTuple):
    """A study, or all, until ``expires_s`` (Unix time)."""

    expires_s: int
    study: str


def _parse_grant(text: str) -> Grant | None:
    parts = _GRANT.fullmatch(text)
    return Grant(int(parts[1]), parts[2]) if parts else None


_TOKENS = TokenKind("token", TOKEN, 200, _parse_grant)


def make_token(grant: Grant, key: str) -> str:
    """Make a token; raises BadToken for a study that is no replaced UID."""
    if grant.study != ALL_STUDIES and REPLACED.fullmatch(grant.study) is None:
        raise BadToken("A token is for the replaced UID of a study, or for *")
    return _TOKENS.make(f"{grant.expires_s}:{grant.study}", key)


def verify_token(token: str, keys: Sequence[str], now_s: float) -> Grant:
    """Return the grant of a token; raises BadToken."""
    return _TOKENS.verify(token, keys, now_s)


def sign_target(target: str, key: str, expires_s: int) -> str:
    """Return a path with its query, which gets ``exp`` and the signature."""
    joined = f"{target}{'&' if '?' in target else '?'}exp={expires_s}"
    return f"{joined}&s={sign_message(joined, key, URL)}"


def authorise(event: Mapping[str, Any], study: str, query: Mapping[str, str], keys: Keys, now_s: float) -> str:
    """Return the study that a request may read, ``*`` for all. A request for all has no ``study``.

    Raises BadToken, NotGranted, Unsigned, BadSignature or Expired.
    """
    scheme, _, token = str((event.get("headers") or {}).get("authorization", "")).partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise BadToken("Send a token in the header Authorization: Bearer <token>")
        grant = try_keys(keys, lambda valid: verify_token(token.strip(), valid, now_s), BadToken)
        if study and grant.study not in (ALL_STUDIES, study):
            raise NotGranted("The token is for another study")
        return grant.study
    _verify_signature(f"{event['rawPath']}?{event.get('rawQueryString', '')}", query, keys, now_s)
    return study or ALL_STUDIES


def _verify_signature(target: str, query: Mapping[str, str], keys: Keys, now_s: float) -> None:
    signature, expires = query.get("s", ""), query.get("exp", "")
    if not signature:
        raise Unsigned("Medical images need a token or a signature")
    if not re.fullmatch(r"[0-9]{1,11}", expires):
        raise BadOption("A signed URL has exp, a Unix time in seconds", option="exp")
    verify_text(URL, remove_signature(target), signature, int(expires), keys, now_s)
