"""Lifetime of a response in the cache: CloudFront's rules for TTLs and ``Cache-Control``.

Sources: CloudFront developer guide, "Manage how long content stays in the cache (expiration)", "How CloudFront
processes HTTP 4xx and 5xx status codes from your origin" and "Control how long CloudFront caches errors".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from .model import DEFAULT_ERROR_TTL_S, CachePolicy

ERRORS_ALWAYS_CACHED = frozenset({404, 414, 500, 501, 502, 503, 504})
ERRORS_CACHED_IF_DECLARED = frozenset({400, 403, 405, 412, 415})
"""Cached only if the origin sends ``max-age`` or ``s-maxage``. Other errors are never cached."""

ERRORS_WITH_NO_STORE = frozenset({404, 410, 414, 501})
UNSTORED_STATUSES = frozenset({206, 304})
_NOT_CACHED = frozenset({"no-store", "no-cache", "private"})


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Seconds for which a response is fresh, and for which it may be served stale.

    ``stored`` is False if the response must not be cached. ``stale_if_error_s`` is None if the origin does not declare
    it: a stale response is then served during any failure of its origin.
    """

    stored: bool
    ttl_s: float = 0.0
    stale_while_revalidate_s: float = 0.0
    stale_if_error_s: float | None = None

    @property
    def shared(self) -> bool:
        """Return whether requests that arrived during the fetch may share it (request collapsing)."""
        return self.stored and self.ttl_s > 0


NOT_STORED = Lifetime(stored=False)


def directives(cache_control: str) -> dict[str, str]:
    """Return the directives of a ``Cache-Control`` header by lower-case name."""
    pairs = (part.strip().partition("=") for part in cache_control.split(",") if part.strip())
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _seconds(cache_control: Mapping[str, str], name: str) -> float | None:
    value = cache_control.get(name, "")
    return float(value) if value.isascii() and value.isdigit() else None


def _declared_s(cache_control: Mapping[str, str], headers: Mapping[str, str], now_s: float) -> float | None:
    """Return the origin's lifetime: ``s-maxage`` before ``max-age`` before ``Expires``."""
    for name in ("s-maxage", "max-age"):
        if (seconds := _seconds(cache_control, name)) is not None:
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
    """Return the lifetime of a response. ``headers`` has case-insensitive or lower-case names.

    ``error_ttl_s`` contains the configured minimum seconds by status, ``now_s`` is Unix time.
    """
    cache_control = directives(headers.get("cache-control", ""))
    declared_s = _declared_s(cache_control, headers, now_s)
    if status >= 400:
        return _error_lifetime(status, cache_control, declared_s, policy, error_ttl_s.get(status, DEFAULT_ERROR_TTL_S))
    if status in UNSTORED_STATUSES or policy.max_ttl_s == 0:
        return NOT_STORED
    if _NOT_CACHED & cache_control.keys():
        return Lifetime(
            policy.min_ttl_s > 0 or not {"no-store", "private"} & cache_control.keys(), float(policy.min_ttl_s)
        )
    if declared_s is None:
        return Lifetime(stored=True, ttl_s=float(max(policy.min_ttl_s, policy.default_ttl_s)))
    return Lifetime(
        stored=True,
        ttl_s=min(max(declared_s, policy.min_ttl_s), policy.max_ttl_s),
        stale_while_revalidate_s=_stale_s(cache_control, "stale-while-revalidate", policy) or 0.0,
        stale_if_error_s=_stale_s(cache_control, "stale-if-error", policy),
    )


def _stale_s(cache_control: Mapping[str, str], name: str, policy: CachePolicy) -> float | None:
    """Return the seconds of staleness of directive ``name``, at most the maximum TTL; 0 if revalidation is required."""
    if {"must-revalidate", "proxy-revalidate"} & cache_control.keys():
        return 0.0
    seconds = _seconds(cache_control, name)
    return None if seconds is None else min(seconds, policy.max_ttl_s)


def _error_lifetime(
    status: int, cache_control: Mapping[str, str], declared_s: float | None, policy: CachePolicy, least_s: int
) -> Lifetime:
    is_declared = "max-age" in cache_control or "s-maxage" in cache_control
    if policy.max_ttl_s == 0 or not (
        status in ERRORS_ALWAYS_CACHED or (is_declared and status in ERRORS_CACHED_IF_DECLARED)
    ):
        return NOT_STORED
    if status in ERRORS_WITH_NO_STORE and _NOT_CACHED & cache_control.keys():
        return NOT_STORED
    ttl_s = max(float(least_s), min(declared_s or 0.0, policy.max_ttl_s))
    return Lifetime(stored=ttl_s > 0, ttl_s=ttl_s)
