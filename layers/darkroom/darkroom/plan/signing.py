"""Signatures: unpadded base64url of HMAC-SHA256 over a canonical request and its expiry, if it has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ..errors import BadSignature, Expired


class KeySource[Keys](Protocol):
    """A source of signing keys, such as :class:`darkroom.aws.secrets.Secret`."""

    def get(self, *, refresh: bool = False) -> Keys:
        """Return the keys that are valid now; ``refresh`` fetches them again if they are not fresh."""


def try_keys[Keys, T](keys: KeySource[Keys], check: Callable[[Keys], T], rejected: type[Exception]) -> T:
    """Return what ``check`` returns for the valid keys, or, where it raises ``rejected``, for fresh ones."""
    try:
        return check(keys.get())
    except rejected:
        return check(keys.get(refresh=True))


def sign(request_path: str, key: str, expires_s: int | None = None) -> str:
    """Sign a canonical request path for the option ``s``. ``expires_s`` is Unix time."""
    import hmac  # with OpenSSL behind it: a cold start that verifies nothing does without
    from base64 import urlsafe_b64encode

    message = request_path if expires_s is None else f"{request_path}?exp={expires_s}"
    digest = hmac.digest(key.encode(), message.encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def verify(request_path: str, signature: str, expires_s: int | None, keys: Sequence[str], now_s: float) -> None:
    """Verify a signature with every valid key; raises BadSignature or Expired."""
    import hmac

    given = signature.encode("utf-8", "surrogatepass")  # texts that are not ASCII cannot be compared
    candidates = [sign(request_path, key, expires_s) for key in keys if key]
    if not any(hmac.compare_digest(candidate.encode(), given) for candidate in candidates):
        raise BadSignature
    if expires_s is not None and now_s >= expires_s:
        raise Expired
