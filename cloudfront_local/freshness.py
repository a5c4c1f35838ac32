"""How long an answer lives in the cache: CloudFront's arithmetic of TTLs and ``Cache-Control``.

Sources: the CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)", "How CloudFront
processes HTTP 4xx and 5xx status codes from your origin" and "Control how long CloudFront caches errors".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from .model import DEFAULT_ERROR_TTL_S, CachePolicy

ERRORS_ALWAYS_CACHED = frozenset({404, 414, 500, 501, 502, 503, 504})
ERRORS_CACHED_IF_TOLD = frozenset({400, 403, 405, 412, 415})
"""Cached only if the origin sends ``max-age`` or ``s-maxage``. Other errors are never cached."""

ERRORS_THAT_HEED_NO_STORE = frozenset({404, 410, 414, 501})
UNSTORED_STATUSES = frozenset({206, 304})
_REFUSALS = frozenset({"no-store", "no-cache", "private"})


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Seconds for which an answer is fresh, and then may still be used stale.

    ``stored`` is False where nothing may be kept; ``stale_if_error_s`` is None where the origin does not say, in which
    case a stale answer outlives any failure of its origin.
    """

    stored: bool
    ttl_s: float = 0.0
    stale_while_revalidate_s: float = 0.0
    stale_if_error_s: float | None = None

    @property
    def shared(self) -> bool:
        """Whether requests that came while it was fetched may have it too (request collapsing)."""
        return self.stored and self.ttl_s > 0


NOT_STORED = Lifetime(stored=False)


def directives(cache_control: str) -> dict[str, str]:
    """The directives of a ``Cache-Control`` header by lower-case name."""
    pairs = (part.strip().partition("=") for part in cache_control.split(",") if part.strip())
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _seconds(said: Mapping[str, str], name: str) -> float | None:
    value = said.get(name, "")
    return float(value) if value.isascii() and value.isdigit() else None


def _declared_s(said: Mapping[str, str], headers: Mapping[str, str], now_s: float) -> float | None:
    """What the origin says: ``s-maxage`` before ``max-age`` before ``Expires``."""
    for name in ("s-maxage", "max-age"):
        if (seconds := _seconds(said, name)) is not None:
            return seconds
    if "expires" not in headers:
        return None
    try:
        return max(0.0, parsedate_to_datetime(headers["expires"]).timestamp() - now_s)
    except ValueError:
        return 0.0


def lifetime(
    status: int, headers: Mapping[str, str], policy: CachePolicy, now_s: float, error_ttl_s: Mapping[int, int]
) -> Lifetime:
    """The life of an answer with ``status`` and ``headers`` (case-insensitive names, or lower-case ones).

    ``error_ttl_s`` has the configured least seconds by status, ``now_s`` is Unix time.
    """
    said = directives(headers.get("cache-control", ""))
    declared_s = _declared_s(said, headers, now_s)
    if status >= 400:
        return _error_lifetime(status, said, declared_s, policy, error_ttl_s.get(status, DEFAULT_ERROR_TTL_S))
    if status in UNSTORED_STATUSES or policy.max_ttl_s == 0:
        return NOT_STORED
    if _REFUSALS & said.keys():
        return Lifetime(policy.min_ttl_s > 0 or not {"no-store", "private"} & said.keys(), float(policy.min_ttl_s))
    if declared_s is None:
        return Lifetime(stored=True, ttl_s=float(max(policy.min_ttl_s, policy.default_ttl_s)))
    return Lifetime(
        stored=True,
        ttl_s=min(max(declared_s, policy.min_ttl_s), policy.max_ttl_s),
        stale_while_revalidate_s=_stale_s(said, "stale-while-revalidate", policy) or 0.0,
        stale_if_error_s=_stale_s(said, "stale-if-error", policy),
    )


def _stale_s(said: Mapping[str, str], name: str, policy: CachePolicy) -> float | None:
    """Seconds of staleness that ``name`` allows, never beyond the maximum TTL; none if revalidation is demanded."""
    if {"must-revalidate", "proxy-revalidate"} & said.keys():
        return 0.0
    seconds = _seconds(said, name)
    return None if seconds is None else min(seconds, policy.max_ttl_s)


def _error_lifetime(
    status: int, said: Mapping[str, str], declared_s: float | None, policy: CachePolicy, least_s: int
) -> Lifetime:
    told = "max-age" in said or "s-maxage" in said
    if policy.max_ttl_s == 0 or not (status in ERRORS_ALWAYS_CACHED or (told and status in ERRORS_CACHED_IF_TOLD)):
        return NOT_STORED
    if status in ERRORS_THAT_HEED_NO_STORE and _REFUSALS & said.keys():
        return NOT_STORED
    ttl_s = max(float(least_s), min(declared_s or 0.0, policy.max_ttl_s))
    return Lifetime(stored=ttl_s > 0, ttl_s=ttl_s)
