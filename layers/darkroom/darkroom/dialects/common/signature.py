"""Whether what a URL says to prove itself is so, the same in every language that has signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...errors import BadSignature, Expired
from .parsed_url import SignatureClaim


def verify_claim(
    claim: SignatureClaim | None,
    signatures: Callable[[SignatureClaim], Iterable[str]],
    now_s: float,
    expires_s: int | None,
) -> None:
    """Raise BadSignature if ``claim`` has none of its ``signatures``, one a key, Expired if its time is over.

    Whether a URL without a claim is served is not decided here.
    """
    import hmac  # with OpenSSL behind it: requests of our own language do without

    if claim is not None:
        given = claim.signature.encode("utf-8", "surrogatepass")
        if not any(hmac.compare_digest(given, signature.encode()) for signature in signatures(claim)):
            raise BadSignature
    if expires_s is not None and now_s >= expires_s:
        raise Expired
