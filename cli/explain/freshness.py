"""How long caches keep a response, and errors that the CDN keeps although the image can be served by now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import ceil

from darkroom.http.response import CACHED_STATUSES, ERROR_MAX_AGE_S

from .masters import format_time
from .source import Document

UNCACHED_BY_CDN = frozenset({413, 422})
"""Errors that browsers keep and CloudFront does not (CloudFront developer guide, "HTTP 4xx and 5xx status codes")."""

SERVED = range(200, 400)
UNCACHED = "private, no-store"
_BROWSER_AGE = re.compile(r"public, max-age=(\d+)")


def describe_link_caching(cache_control: str, expires_s: int, now_s: float, *, is_private: bool) -> Document:
    """Return the Cache-Control that viewers receive for a link that ends, and who keeps the image.

    As the viewer-response function does it: browsers keep the image until the link ends, other caches do not.
    """
    age = _BROWSER_AGE.match(cache_control)
    if age and expires_s > now_s:
        cache_control = f"private, max-age={min(int(age[1]), ceil(expires_s - now_s))}"
    cdn = "the CDN, which verifies every link" if is_private else "the CDN"
    return {
        "cache_control": cache_control,
        "kept_by": f"browsers, at most until the link ends, and {cdn}; no other shared cache",
    }


def describe_uncached() -> Document:
    """Return the Cache-Control of an image whose signature only the function verifies."""
    return {"cache_control": UNCACHED, "kept_by": "no cache: the function verifies every request"}


def find_cached_error(
    master: Document | None, answers: Sequence[Document], rendered: Iterable[Document], now_s: float
) -> Document | None:
    """Return an error that the CDN may still return though the image can be served: its status and until when.

    It is one that the function answered in the last minute, or a 404 from before the master was written. There is no
    such 404 if the image was served since. ``rendered``: derivatives that were stored for a request.
    """
    found = [
        (_seconds(one["at"]) + ERROR_MAX_AGE_S, one["status"], one["code"])
        for one in answers
        if one["status"] in CACHED_STATUSES - UNCACHED_BY_CDN
    ]
    if master and master["modified_at"]:
        since_s = _seconds(master["modified_at"])
        was_served = any(one["status"] in SERVED and _seconds(one["at"]) >= since_s for one in answers)
        if not was_served and not any(one["is_of_master"] for one in rendered):
            found.append((since_s + ERROR_MAX_AGE_S, 404, "no-source"))
    until_s, status, code = max(found, key=lambda one: one[0], default=(0.0, 0, ""))
    return {"status": status, "code": code, "until": format_time(until_s)} if until_s > now_s else None


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
