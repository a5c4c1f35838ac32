"""thumbor's signature: padded base64url of HMAC-SHA1 over the raw path that follows it. The query is not signed."""

from __future__ import annotations

from collections.abc import Sequence

from ....errors import BadSignature, Expired
from ..asked import Claim, Key


def sign(message: bytes, key: Key) -> str:
    """The signature of ``message``, the path after it without its leading slash."""
    import hmac  # with OpenSSL behind it: requests of our own language do without
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(hmac.digest(key.key.encode(), message, "sha1")).decode()


def check(claim: Claim | None, keys: Sequence[Key], now_s: float, expires_s: int | None = None) -> None:
    """Raise BadSignature if ``claim`` is of none of ``keys``, Expired if its time is over.

    Whether a URL without a claim is served is not decided here.
    """
    import hmac

    if claim is not None:
        given = claim.signature.encode()
        if not any(hmac.compare_digest(given, sign(claim.message, key).encode()) for key in keys if key.key):
            raise BadSignature
    if expires_s is not None and now_s >= expires_s:
        raise Expired
