"""Further sources of masters, chosen by the prefix of a key: other buckets, and read-only HTTPS origins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from .errors import BadKey
from .image_keys import check_key, quote_key

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]")
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?:{_LABEL}\.)+[a-z]{{2,63}}(?::[1-9][0-9]{{0,4}})?"
_ORIGIN = re.compile(rf"https://({_HOST})/(?:[A-Za-z0-9._~%-]+/)*")
MAX_HOSTS = 10
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class FurtherSource:
    """Masters of keys that start with ``key_prefix``, which is not part of their names there.

    Either ``bucket``, in ``region`` ("": that of the stack) below ``prefix``, or ``origin``, a URL that ends in a
    slash. Redirects of an origin may lead to itself and to ``hosts``. Its images are cached for ``max_age_s``; an
    instance of a function sends at most ``requests_per_s``.
    """

    key_prefix: str
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    origin: str = ""
    hosts: tuple[str, ...] = ()
    max_age_s: int = 3600
    requests_per_s: int = 10

    @property
    def address(self) -> str:
        """Return the beginning of the URLs of its masters: ``s3://bucket/prefix`` or ``https://host/path/``."""
        return self.origin or f"s3://{self.bucket}/{quote_key(self.prefix)}"

    @property
    def host(self) -> str:
        """Return the host of the origin, with a port that is not 443."""
        match = _ORIGIN.fullmatch(self.origin)
        return match[1].removesuffix(":443") if match else ""

    def name(self, key: str) -> str:
        """Return the name of the master of ``key`` in the bucket, or its percent-encoded path below the origin."""
        rest = key.removeprefix(self.key_prefix)
        return quote_key(rest) if self.origin else self.prefix + rest


def parse_sources(table: Mapping[str, Mapping[str, Any]]) -> tuple[FurtherSource, ...]:
    """Parse a table of sources by their key prefixes; the longest come first. Raises ValueError, TypeError."""
    found = [_parse_source(prefix, value) for prefix, value in table.items()]
    return tuple(sorted(found, key=lambda one: -len(one.key_prefix)))


def find_source(sources: Sequence[FurtherSource], key: str) -> FurtherSource | None:
    """Return the source of ``key``; None if it is the stack's own."""
    return next((one for one in sources if key.startswith(one.key_prefix)), None)


def _parse_source(key_prefix: str, value: Mapping[str, Any]) -> FurtherSource:
    if not isinstance(value, Mapping):
        raise TypeError(value)
    if unknown := value.keys() - {one.name for one in fields(FurtherSource)} | value.keys() & {"key_prefix"}:
        raise ValueError(unknown)
    source = FurtherSource(key_prefix, **{**value, "hosts": tuple(value.get("hosts", ()))})
    try:
        check_key(key_prefix.removesuffix("/"))
    except BadKey as error:
        raise ValueError(key_prefix) from error
    valid = (
        key_prefix.endswith("/")
        and (_is_bucket(source, value) if source.bucket else _is_origin(source, value))
        and _is_between(source.max_age_s, 1, 365 * DAY_S)
        and _is_between(source.requests_per_s, 1, 1000)
    )
    if not valid:
        raise ValueError(value)
    return source


def _is_bucket(source: FurtherSource, value: Mapping[str, Any]) -> bool:
    return (
        not value.keys() & {"origin", "hosts", "max_age_s", "requests_per_s"}
        and _BUCKET.fullmatch(source.bucket) is not None
        and isinstance(source.prefix, str)
        and (not source.prefix or (source.prefix.endswith("/") and not source.prefix.startswith("/")))
        and (not source.region or _REGION.fullmatch(source.region) is not None)
    )


def _is_origin(source: FurtherSource, value: Mapping[str, Any]) -> bool:
    return (
        not value.keys() & {"bucket", "prefix", "region"}
        and _ORIGIN.fullmatch(source.origin) is not None
        and len(source.hosts) <= MAX_HOSTS
        and all(re.fullmatch(_HOST, host) for host in source.hosts)
    )


def _is_between(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high
