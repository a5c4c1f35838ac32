"""What a URL of another service's language comes to, whichever language it is."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import Plan


@dataclass(frozen=True, slots=True)
class Key:
    """What a language signs with, spelled as the language's own configuration spells it."""

    key: str
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a URL says to prove itself: ``signature`` as it is spelled there, made over ``message``.

    The language's own check knows the algorithm. ``size_bytes`` is how much of the digest a signature has, 0 for all.
    """

    message: bytes
    signature: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a URL asks for. ``plan`` is not negotiated: its format may be ``auto``.

    ``claim`` is None where the URL is not signed, ``expires_s`` the Unix time from which it is refused.
    ``qualities`` has the quality of output formats, for the one that negotiation comes to; ``saving_quality`` is that
    for viewers who save data. ``max_age_s`` is how long the URL says that an answer may be kept.
    """

    plan: Plan
    claim: Claim | None
    expires_s: int | None = None
    qualities: tuple[tuple[str, int], ...] = ()
    saving_quality: int | None = None
    max_age_s: int | None = None
