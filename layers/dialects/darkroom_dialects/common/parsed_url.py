"""The result of parsing a URL of any dialect, and the verification of its signature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.errors import BadSignature, Expired
from darkroom.plan.model import Plan


@dataclass(frozen=True, slots=True)
class DialectKey:
    """A signing key, in the encoding of the dialect's own configuration."""

    key: str
    salt: str = ""


@dataclass(frozen=True, slots=True)
class SignatureClaim:
    """A signature as spelled in the URL, and the signed ``message``.

    The dialect's ``verify`` knows the algorithm. ``size_bytes`` is the length of a truncated digest, 0 for all of it.
    ``trusted``: the settings accept this signature without a check.
    """

    message: bytes
    signature: str
    size_bytes: int = 0
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """A parsed URL. ``plan`` is not negotiated: its format can be ``auto``.

    ``claim`` is None for an unsigned URL; ``expires_s`` is the Unix time from which it is refused. ``qualities`` has
    qualities by output format, ``saving_quality`` that for requests with ``Save-Data``. ``max_age_s`` is the maximum
    age that the URL requests. ``document`` converts the object of ``f=json`` to the dialect's own. ``metadata`` is
    one of :data:`darkroom.plan.model.METADATA`, empty where the deployment decides.
    """

    plan: Plan
    claim: SignatureClaim | None
    expires_s: int | None = None
    qualities: tuple[tuple[str, int], ...] = ()
    saving_quality: int | None = None
    max_age_s: int | None = None
    document: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = field(default=None, compare=False)
    metadata: str = ""


def verify_claim(
    claim: SignatureClaim | None,
    signatures: Callable[[SignatureClaim], Iterable[str]],
    now_s: float,
    expires_s: int | None,
) -> None:
    """Raise BadSignature if ``claim`` has none of the ``signatures`` (one per key), and Expired from ``expires_s`` on.

    Unsigned URLs are accepted here; :mod:`darkroom_dialects.serving.access` decides about them.
    """
    import hmac  # loads OpenSSL, which native requests do not need

    if claim is not None:
        given = claim.signature.encode("utf-8", "surrogatepass")
        if not any(hmac.compare_digest(given, signature.encode()) for signature in signatures(claim)):
            raise BadSignature
    if expires_s is not None and now_s >= expires_s:
        raise Expired
