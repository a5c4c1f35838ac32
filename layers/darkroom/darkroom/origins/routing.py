"""Choose the source of a key for renders and for re-encoding."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..aws.credentials import CredentialSource
from ..aws.s3_fast import FastBucket, StoredObject, connect
from ..errors import ObjectChanged
from ..further_sources import FurtherSource, find_source
from ..image_keys import ObjectNames
from ..plan.model import Plan
from ..plan.presets import Presets
from ..services.serve.answers import Answer
from ..services.serve.rendering import Prefetch
from ..services.serve.transform import Read, Transform
from ..settings import Settings
from .https import HttpsOrigin

KEYS = ObjectNames("", encoded=False)
"""Names of objects that are keys: RoutedBucket finds the name in the bucket of each."""


def connect_bucket(
    source: FurtherSource, credentials: CredentialSource, environment: Mapping[str, str] = os.environ
) -> FastBucket:
    """Connect to the bucket of ``source`` in its region."""
    region = {"AWS_REGION": source.region} if source.region else {}
    return connect(source.bucket, credentials, {**environment, **region})


class RoutedBucket(FastBucket):
    """Reads masters by their keys: from one of ``sources``, otherwise from ``default`` by ``names``.

    A source without a bucket in ``buckets``, which are by key prefix, has no masters.
    """

    def __init__(
        self,
        default: FastBucket,
        names: ObjectNames,
        sources: Sequence[FurtherSource],
        buckets: Mapping[str, FastBucket],
    ) -> None:
        self._default, self._names = default, names
        self._sources, self._buckets = sources, buckets

    def _find(self, key: str) -> tuple[FastBucket | None, str]:
        source = find_source(self._sources, key)
        if source is None:
            return self._default, self._names.name(key)
        return self._buckets.get(source.key_prefix), source.name(key)

    def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:
        """Open the master of ``key``."""
        bucket, name = self._find(key)
        return bucket.open(name, first_bytes) if bucket else None

    def read(self, key: str) -> bytes | None:
        """Read the master of ``key``."""
        bucket, name = self._find(key)
        return bucket.read(name) if bucket else None

    def read_range(self, key: str, start: int, end: int, etag: str) -> bytes:
        """Read a part of the master of ``key``. Raises ObjectChanged."""
        bucket, name = self._find(key)
        if bucket is None:
            raise ObjectChanged(detail=f"get {key}")
        return bucket.read_range(name, start, end, etag)

    def etag(self, key: str) -> str | None:
        """Return the entity tag of the master of ``key``."""
        bucket, name = self._find(key)
        return bucket.etag(name) if bucket else None


def route_masters(
    default: FastBucket, names: ObjectNames, settings: Settings, credentials: CredentialSource
) -> RoutedBucket:
    """Return a bucket with the masters of all buckets. Origins have none: nothing of them is stored."""
    buckets = {one.key_prefix: connect_bucket(one, credentials) for one in settings.sources if one.bucket}
    return RoutedBucket(default, names, settings.sources, buckets)


@dataclass(frozen=True)
class RoutedTransform(Transform):
    """Renders images of further ``sources``. ``origins`` are transforms by the key prefixes of HTTPS origins.

    An origin sends no events, so its derivatives are not stored: the CDN has them for the source's ``max_age_s``.
    """

    sources: tuple[FurtherSource, ...] = ()
    origins: Mapping[str, Transform] = field(default_factory=dict)

    def serve(self, plan: Plan, if_none_match: str = "", master: StoredObject | None = None) -> Answer:
        """Find or render the variant ``plan`` of an authorised request."""
        if (origin := self._find_origin(plan.key)) is not None:
            return origin.serve(plan, if_none_match, master)
        return super().serve(plan, if_none_match, master)

    def prefetch(self, plan: Plan, presets: Callable[[], Presets]) -> None:
        """Start the reads that a request for ``plan`` needs: of an origin none before the request is authorised."""
        if self._find_origin(plan.key) is None:
            super().prefetch(plan, presets)

    def prefetch_master(self, key: str) -> None:
        """Start to read the master of ``key``, unless it is on an origin."""
        if self._find_origin(key) is None:
            super().prefetch_master(key)

    def open_master(self, key: str) -> StoredObject | None:
        """Open the master of ``key``; None if there is none. Raises Unavailable."""
        origin = self._find_origin(key)
        return origin.open_master(key) if origin is not None else super().open_master(key)

    def _master_read(self, key: str) -> Read[StoredObject | None]:
        """Return a read with a name of its own: a transform of earlier settings may have started one elsewhere."""
        name, read = super()._master_read(key)
        source = find_source(self.sources, key)
        return (f"{name} at {source.address}" if source else name), read

    def _find_origin(self, key: str) -> Transform | None:
        source = find_source(self.sources, key)
        return self.origins.get(source.key_prefix) if source else None


def route_transform(
    transform: Transform,
    settings: Settings,
    credentials: CredentialSource,
    open_origin: Callable[[FurtherSource, int], HttpsOrigin] = HttpsOrigin,
) -> RoutedTransform:
    """Return ``transform`` with the sources of ``settings``."""
    sources = settings.sources
    buckets: dict[str, FastBucket] = {}
    for one in sources:
        buckets[one.key_prefix] = (
            connect_bucket(one, credentials) if one.bucket else open_origin(one, transform.limits.max_bytes)
        )
    fields = {name: getattr(transform, name) for name in Transform.__dataclass_fields__}
    fields |= {
        "source": RoutedBucket(transform.source, transform.source_names, sources, buckets),
        "source_names": KEYS,
    }
    origins = {one.key_prefix: _build_origin(Transform(**fields), one) for one in sources if one.origin}
    return RoutedTransform(**fields, sources=sources, origins=origins)


def _build_origin(transform: Transform, source: FurtherSource) -> Transform:
    caching, most_s = transform.caching, source.max_age_s
    limited = replace(
        caching,
        browser_max_age_s=min(caching.browser_max_age_s, most_s),
        cdn_max_age_s=min(caching.cdn_max_age_s, most_s),
        stale_while_revalidate_s=min(caching.stale_while_revalidate_s, most_s),
        immutable_prefixes=(),
        refines=False,
    )
    return replace(transform, stores=False, mezzanines=False, caching=limited, prefetched=Prefetch())
