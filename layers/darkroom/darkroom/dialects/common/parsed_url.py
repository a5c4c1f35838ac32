"""What a URL of another service's language comes to, whichever language it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import BadSignature, Expired
from ...plan.model import Plan


@dataclass(frozen=True, slots=True)
class DialectKey:
    """What a language signs with, spelled as the language's own configuration spells it."""

    key: str
    salt: str = ""


@dataclass(frozen=True, slots=True)
class SignatureClaim:
    """What a URL says to prove itself: ``signature`` as it is spelled there, made over ``message``.

    The language's own check knows the algorithm. ``size_bytes`` is how much of the digest a signature has, 0 for all.
    ``trusted``: the deployment's settings name the signature as one that is not checked.
    """

    message: bytes
    signature: str
    size_bytes: int = 0
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """What a URL asks for. ``plan`` is not negotiated: its format may be ``auto``.

    ``claim`` is None where the URL is not signed, ``expires_s`` the Unix time from which it is refused.
    ``qualities`` has the quality of output formats, for the one that negotiation comes to; ``saving_quality`` is that
    for viewers who save data. ``max_age_s`` is how long the URL says that an answer may be kept. ``document`` makes the
    answer of what ``f=json`` says, where the language has an object of its own for it.
    """

    plan: Plan
    claim: SignatureClaim | None
    expires_s: int | None = None
    qualities: tuple[tuple[str, int], ...] = ()
    saving_quality: int | None = None
    max_age_s: int | None = None
    document: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = field(default=None, compare=False)


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
