"""Errors that the CDN keeps for a minute, although the image can be served by now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from darkroom.http.response import CACHED_STATUSES, ERROR_MAX_AGE_S

from .masters import format_time
from .source import Document

UNCACHED_BY_CDN = frozenset({413, 422})
"""Errors that browsers keep and CloudFront does not (CloudFront developer guide, "HTTP 4xx and 5xx status codes")."""


def find_cached_error(master: Document | None, answers: Iterable[Document], now_s: float) -> Document | None:
    """Return an error that the CDN may still return though the image can be served: its status and until when.

    It is one that the function answered in the last minute, or a 404 from before the master was written.
    """
    found = [
        (datetime.fromisoformat(one["at"]).timestamp() + ERROR_MAX_AGE_S, one["status"], one["code"])
        for one in answers
        if one["status"] in CACHED_STATUSES - UNCACHED_BY_CDN
    ]
    if master and master["modified_at"]:
        found.append((datetime.fromisoformat(master["modified_at"]).timestamp() + ERROR_MAX_AGE_S, 404, "no-source"))
    until_s, status, code = max(found, key=lambda one: one[0], default=(0.0, 0, ""))
    return {"status": status, "code": code, "until": format_time(until_s)} if until_s > now_s else None
