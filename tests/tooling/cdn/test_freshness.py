"""Lifetimes in the local CDN's cache, compared with CloudFront's documented rules."""

from __future__ import annotations

import pytest

from cloudfront_local.freshness import directives, lifetime
from cloudfront_local.model import CachePolicy

NOW_S = 1_800_000_000.0
OWN = CachePolicy(min_ttl_s=0, default_ttl_s=0, max_ttl_s=31_536_000)
BOUNDED = CachePolicy(min_ttl_s=60, default_ttl_s=600, max_ttl_s=3600)
DISABLED = CachePolicy(min_ttl_s=0, default_ttl_s=0, max_ttl_s=0)
IN_AN_HOUR = "Fri, 15 Jan 2027 09:00:00 GMT"


@pytest.mark.parametrize(
    ("policy", "headers", "ttl_s"),
    [
        (OWN, {}, 0),
        (OWN, {"cache-control": "max-age=60"}, 60),
        (OWN, {"cache-control": "max-age=60, s-maxage=600"}, 600),
        (OWN, {"cache-control": "S-MaxAge=600"}, 600),
        (OWN, {"cache-control": "max-age=99999999999"}, 31_536_000),
        (OWN, {"cache-control": "max-age=nonsense"}, 0),
        (OWN, {"expires": IN_AN_HOUR}, 3600),
        (OWN, {"expires": "0"}, 0),
        (OWN, {"expires": IN_AN_HOUR, "cache-control": "max-age=5"}, 5),
        (BOUNDED, {}, 600),
        (BOUNDED, {"cache-control": "max-age=1"}, 60),
        (BOUNDED, {"cache-control": "max-age=9999"}, 3600),
        (BOUNDED, {"cache-control": "no-store"}, 60),
        (BOUNDED, {"cache-control": "private, max-age=900"}, 60),
        (CachePolicy(min_ttl_s=5, default_ttl_s=2, max_ttl_s=9), {}, 5),
    ],
)
def test_ttl_of_success(policy: CachePolicy, headers: dict[str, str], ttl_s: float) -> None:
    life = lifetime(200, headers, policy, NOW_S, {})
    assert life.stored
    assert life.ttl_s == ttl_s


@pytest.mark.parametrize(
    ("status", "policy", "headers"),
    [
        (200, OWN, {"cache-control": "no-store"}),
        (200, OWN, {"cache-control": "private, max-age=60"}),
        (200, DISABLED, {"cache-control": "max-age=60"}),
        (206, OWN, {"cache-control": "max-age=60"}),
        (302, OWN, {"cache-control": "no-store"}),
        (403, OWN, {}),
        (413, OWN, {"cache-control": "max-age=60"}),
        (416, OWN, {"cache-control": "max-age=60"}),
        (422, OWN, {"cache-control": "max-age=60"}),
        (429, OWN, {}),
        (404, OWN, {"cache-control": "no-store"}),
        (404, DISABLED, {}),
    ],
)
def test_never_stored(status: int, policy: CachePolicy, headers: dict[str, str]) -> None:
    assert not lifetime(status, headers, policy, NOW_S, {}).stored


@pytest.mark.parametrize(
    ("status", "headers", "configured", "ttl_s"),
    [
        (404, {}, {}, 10),
        (404, {}, {404: 3}, 3),
        (404, {"cache-control": "max-age=60"}, {404: 0}, 60),
        (404, {"cache-control": "max-age=1"}, {404: 30}, 30),
        (503, {}, {}, 10),
        (503, {"cache-control": "no-store"}, {}, 10),
        (403, {"cache-control": "s-maxage=20"}, {403: 0}, 20),
        (400, {"cache-control": "max-age=20"}, {}, 20),
    ],
)
def test_ttl_of_errors(status: int, headers: dict[str, str], configured: dict[int, int], ttl_s: float) -> None:
    life = lifetime(status, headers, OWN, NOW_S, configured)
    assert (life.stored, life.ttl_s) == (True, ttl_s)


def test_an_error_without_a_minimum_is_not_cached() -> None:
    assert not lifetime(503, {"cache-control": "no-store"}, OWN, NOW_S, {503: 0}).stored


def test_no_cache_is_stored_for_revalidation() -> None:
    life = lifetime(200, {"cache-control": "no-cache"}, OWN, NOW_S, {})
    assert (life.stored, life.ttl_s, life.shared) == (True, 0.0, False)


@pytest.mark.parametrize(
    ("cache_control", "while_revalidating_s", "if_error_s"),
    [
        ("max-age=1", 0, None),
        ("max-age=1, stale-while-revalidate=30, stale-if-error=90", 30, 90),
        ("max-age=1, stale-while-revalidate=99999999", 31_536_000, None),
        ("max-age=1, stale-while-revalidate=30, must-revalidate", 0, 0),
        ("max-age=1, stale-if-error=0", 0, 0),
    ],
)
def test_staleness(cache_control: str, while_revalidating_s: float, if_error_s: float | None) -> None:
    life = lifetime(200, {"cache-control": cache_control}, OWN, NOW_S, {})
    assert (life.stale_while_revalidate_s, life.stale_if_error_s) == (while_revalidating_s, if_error_s)


def test_directives_ignore_case_and_spaces() -> None:
    assert directives('Public, MAX-AGE="60" ,, no-transform') == {"public": "", "max-age": "60", "no-transform": ""}
