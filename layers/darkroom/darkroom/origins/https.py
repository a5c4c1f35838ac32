"""An HTTPS origin as a bucket that can only be read: caches, rate limit and negative cache of one function instance."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from ..aws.s3_fast import FastBucket, StoredObject
from ..errors import ObjectChanged, OverLimits, Unavailable
from ..further_sources import FurtherSource
from .fetch import Fetched, Fetcher
from .network import Network

FRESH_S = 10.0
"""A master is requested again after this time: a page requests several widths of one image at once."""

CACHE_BYTES = 64 * 1024 * 1024
MISSING_S, FAILED_S = 60.0, 10.0
"""How long a missing image and a failed request are remembered."""

MAX_REMEMBERED = 1000
MAX_SEEN = 10_000
"""Keys that the origin had an image for, remembered by their names alone."""

MISSING_SHARE = 0.2
"""Of the rate: at most so much of it is spent on keys without an image, of which anyone can make up any number."""


@dataclass
class RateLimit:
    """Allows ``per_s`` requests a second, and as many at once, but at least one."""

    per_s: float
    clock: Callable[[], float] = time.monotonic
    _left: float = field(init=False)
    _at_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at_s = max(1.0, self.per_s), self.clock()

    def allows(self) -> bool:
        """Return whether a request is allowed."""
        now_s = self.clock()
        self._left = min(max(1.0, self.per_s), self._left + (now_s - self._at_s) * self.per_s)
        self._at_s = now_s
        return self._left >= 1

    def take(self) -> bool:
        """Take one request; return whether it is allowed."""
        if not self.allows():
            return False
        self._left -= 1
        return True


class HttpsOrigin(FastBucket):
    """The masters of ``source``, whose names are percent-encoded paths. Nothing can be written."""

    def __init__(
        self,
        source: FurtherSource,
        max_bytes: int,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        hosts = frozenset(host.removesuffix(":443") for host in (source.host, *source.hosts))
        self._fetcher = Fetcher(hosts, max_bytes, network or Network())
        self._source, self._clock = source, clock
        self._rate = RateLimit(source.requests_per_s, clock)
        self._misses = RateLimit(source.requests_per_s * MISSING_SHARE, clock)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._found: OrderedDict[str, tuple[float, Fetched]] = OrderedDict()
        self._failed: OrderedDict[str, tuple[float, Unavailable | OverLimits | None]] = OrderedDict()

    def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:  # noqa: ARG002 - all arrives at once
        """Open ``key``; None if the origin has no such image. Raises Unavailable, OverLimits."""
        found = self._get(key)
        if found is None:
            return None
        attributes = {"Content-Type": found.content_type} if found.content_type else {}
        return StoredObject(found.etag, len(found.body), attributes, iter((found.body,)))

    def read(self, key: str) -> bytes | None:
        """Read the whole of ``key``."""
        found = self._get(key)
        return found.body if found else None

    def read_range(self, key: str, start: int, end: int, etag: str) -> bytes:
        """Read bytes ``start`` to before ``end`` of the image with this entity tag. Raises ObjectChanged."""
        found = self._get(key)
        if found is None or found.etag != etag:
            raise ObjectChanged(detail=f"get {key}")
        return found.body[start:end]

    def etag(self, key: str) -> str | None:
        """Return the entity tag of ``key``, with its quotes."""
        found = self._get(key)
        return found.etag if found else None

    def _get(self, key: str) -> Fetched | None:
        now_s = self._clock()
        checked_s, known = self._found.get(key, (0.0, None))
        if known is not None and now_s - checked_s < FRESH_S:
            return known
        until_s, error = self._failed.get(key, (0.0, None))
        if now_s < until_s:
            if error is not None:
                raise error
            return None
        self._take_request(key)
        try:
            found = self._fetcher.fetch(self._source.origin + key, known)
        except (Unavailable, OverLimits) as raised:
            self._remember_failure(key, now_s + FAILED_S, raised)
            raise
        if found is None:
            self._misses.take()
            self._found.pop(key, None)
            self._seen.pop(key, None)
            self._remember_failure(key, now_s + MISSING_S, None)
            return None
        self._keep(key, now_s, found)
        return found

    def _take_request(self, key: str) -> None:
        """Raise Unavailable if no request is left for ``key``.

        A key that has had an image may use the whole rate. Others may, too, until their share was spent on keys without
        an image.
        """
        address = self._source.origin
        if key not in self._seen and not self._misses.allows():
            raise Unavailable(
                detail=f"more than {self._misses.per_s:g} requests/s for keys that {address} does not have"
            )
        if not self._rate.take():
            raise Unavailable(detail=f"more than {self._source.requests_per_s} requests/s to {address}")

    def _remember_failure(self, key: str, until_s: float, error: Unavailable | OverLimits | None) -> None:
        self._failed[key] = until_s, error
        self._failed.move_to_end(key)
        while len(self._failed) > MAX_REMEMBERED:
            self._failed.popitem(last=False)

    def _keep(self, key: str, now_s: float, found: Fetched) -> None:
        self._failed.pop(key, None)
        self._seen[key] = None
        self._seen.move_to_end(key)
        while len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        self._found[key] = now_s, found
        self._found.move_to_end(key)
        while sum(len(one.body) for _, one in self._found.values()) > CACHE_BYTES and len(self._found) > 1:
            self._found.popitem(last=False)
