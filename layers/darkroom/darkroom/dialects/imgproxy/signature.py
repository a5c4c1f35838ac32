"""imgproxy's signatures: unpadded base64url of HMAC-SHA256 over salt and path, perhaps cut short."""

from __future__ import annotations

from collections.abc import Sequence

from ..common.parsed_url import DialectKey, SignatureClaim
from ..common.signature import verify_claim

UNSIGNED = frozenset({"", "_", "-", "unsafe", "insecure"})
"""What stands where a signature would. imgproxy without keys takes anything; these are what its guides write."""


def sign(message: bytes, key: DialectKey, size_bytes: int = 0) -> str:
    """The signature of ``message``, a path from its slash before the options on; key and salt are hex."""
    import hmac
    from base64 import urlsafe_b64encode

    digest = hmac.digest(bytes.fromhex(key.key), bytes.fromhex(key.salt) + message, "sha256")
    return urlsafe_b64encode(digest[: size_bytes or len(digest)]).rstrip(b"=").decode()


def verify(claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None) -> None:
    """Raise BadSignature if ``claim`` is neither trusted nor of any of ``keys``, Expired if its time is over.

    Signatures are compared as they are spelled: imgproxy decodes them first, and takes four spellings of the last
    character for one.
    """
    if claim is not None and claim.trusted:
        claim = None
    verify_claim(claim, lambda one: (sign(one.message, key, one.size_bytes) for key in keys), now_s, expires_s)
