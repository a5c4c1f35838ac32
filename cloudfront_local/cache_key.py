"""Cache keys of requests."""

from __future__ import annotations

from collections.abc import Iterable

from .messages import Request
from .model import CachePolicy, Selection

type Key = tuple[str, ...]


def query_pairs(query: str | None) -> list[tuple[str, str]]:
    """Return names and raw values of a query string, in order. A name without ``=`` has an empty value."""
    pairs = (pair.partition("=") for pair in (query or "").split("&") if pair)
    return [(name, value) for name, _, value in pairs]


def cookie_pairs(header: str) -> list[tuple[str, str]]:
    """Return names and raw values of a Cookie header, in order."""
    pairs = (pair.strip().partition("=") for pair in header.split(";") if pair.strip())
    return [(name, value) for name, _, value in pairs]


def pick(pairs: Iterable[tuple[str, str]], selection: Selection) -> str:
    """Return the selected pairs, joined as in a query string."""
    return "&".join(f"{name}={value}" for name, value in pairs if selection.takes(name))


def normalize_encoding(accept_encoding: str, encodings: tuple[str, ...]) -> str:
    """Return the configured codings that the viewer accepts, as ``Accept-Encoding`` of key and origin request."""
    accepted = {
        coding.strip().partition(";")[0].lower()
        for coding in accept_encoding.split(",")
        if not coding.replace(" ", "").endswith(";q=0")
    }
    return ",".join(coding for coding in encodings if coding in accepted)


def cache_key(request: Request, policy: CachePolicy) -> Key:
    """Return the key of ``request`` under ``policy``. GET and HEAD have different keys, as only GET has a body."""
    headers = "\n".join(
        f"{name}:{value}"
        for name, value in sorted((name.lower(), value) for name, value in request.headers.items())
        if policy.key.headers.takes(name)
    )
    return (
        request.method,
        request.path,
        pick(query_pairs(request.query), policy.key.queries),
        headers,
        pick(cookie_pairs(request.headers.get("cookie", "")), policy.key.cookies),
        normalize_encoding(request.headers.get("accept-encoding", ""), policy.encodings),
    )
