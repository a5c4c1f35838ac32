"""thumbor's signature: padded base64url of HMAC-SHA1 over the raw path that follows it. The query is not signed."""

from __future__ import annotations

from collections.abc import Sequence

from ..common.parsed_url import DialectKey, SignatureClaim
from ..common.signature import verify_claim


def sign(message: bytes, key: DialectKey) -> str:
    """The signature of ``message``, the path after it without its leading slash."""
    import hmac  # with OpenSSL behind it: requests of our own language do without
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(hmac.digest(key.key.encode(), message, "sha1")).decode()


def verify(
    claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None = None
) -> None:
    """Raise BadSignature if ``claim`` is of none of ``keys``, Expired if its time is over."""
    verify_claim(claim, lambda one: (sign(one.message, key) for key in keys if key.key), now_s, expires_s)
