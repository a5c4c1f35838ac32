"""DIT's signature: hex HMAC-SHA256 over the path and the query parameters that DIT knows, sorted, without itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..common.parsed_url import DialectKey, SignatureClaim
from ..common.signature import verify_claim


def build_message(path: str, parameters: Mapping[str, str]) -> bytes:
    """What is signed of ``path``, which is raw, and ``parameters``, which are decoded."""
    pairs = [f"{name}={value}" for name, value in sorted(parameters.items()) if name != "signature"]
    return ("?".join([path, "&".join(pairs)]) if pairs else path).encode()


def sign(message: bytes, key: DialectKey) -> str:
    """The signature of ``message``."""
    import hmac  # with OpenSSL behind it: requests of our own language do without

    return hmac.digest(key.key.encode(), message, "sha256").hex()


def verify(
    claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None = None
) -> None:
    """Raise BadSignature if ``claim`` is of none of ``keys``, Expired if its time is over."""
    verify_claim(claim, lambda one: (sign(one.message, key) for key in keys if key.key), now_s, expires_s)
