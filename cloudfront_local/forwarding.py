"""Requests to origins: the part of a viewer's request that CloudFront forwards."""

from __future__ import annotations

from multidict import CIMultiDict

from .cache_key import cookie_pairs, normalize_encoding, query_pairs
from .messages import Request
from .model import Behaviour, Origin, Selection

VIA = "1.1 local.cloudfront.net (CloudFront)"
NEVER_FORWARDED = frozenset(
    {
        "host",
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "content-length",
        "cookie",
        "accept-encoding",
        "range",
        "if-range",
        "if-none-match",
        "if-modified-since",
        "if-match",
        "if-unmodified-since",
        "via",
        "x-forwarded-for",
        "x-amz-cf-id",
    }
)
"""Headers that the CDN handles: hop-by-hop headers, conditions and ranges (answered from the cache), and those it sets.
"""


def _either(name: str, first: Selection, second: Selection) -> bool:
    return first.takes(name) or second.takes(name)


def origin_query(request: Request, behaviour: Behaviour) -> str:
    """Return the query string for the origin: parameters of the cache key and of the origin request policy."""
    key, extra = behaviour.cache.key.queries, behaviour.forward.queries
    pairs = ((name, value) for name, value in query_pairs(request.query) if _either(name, key, extra))
    return "&".join(f"{name}={value}" for name, value in pairs)


def origin_headers(request: Request, behaviour: Behaviour, origin: Origin) -> CIMultiDict[str]:
    """Return the headers for ``origin``: forwarded ones, the CDN's own, and the origin's custom headers, which win."""
    key, extra = behaviour.cache.key, behaviour.forward
    headers: CIMultiDict[str] = CIMultiDict(
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in NEVER_FORWARDED and _either(name.lower(), key.headers, extra.headers)
    )
    headers.setdefault("User-Agent", "Amazon CloudFront")
    cookies = cookie_pairs(request.headers.get("cookie", ""))
    cookies = [(name, value) for name, value in cookies if _either(name, key.cookies, extra.cookies)]
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
    if encoding := normalize_encoding(request.headers.get("accept-encoding", ""), behaviour.cache.encodings):
        headers["Accept-Encoding"] = encoding
    earlier = request.headers.get("x-forwarded-for")
    headers["X-Forwarded-For"] = f"{earlier}, {request.client_ip}" if earlier else request.client_ip
    headers["Via"] = VIA
    headers["X-Amz-Cf-Id"] = request.id
    for name, value in origin.headers:
        headers[name] = value
    return headers
