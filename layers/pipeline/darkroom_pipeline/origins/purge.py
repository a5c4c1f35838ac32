"""Purges of keys whose masters are in further sources."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from darkroom.further_sources import FurtherSource, find_source
from darkroom.image_keys import ObjectNames

from ..aws.s3 import ObjectHead, S3Bucket
from ..services.purge.stale_derivatives import DerivativePurge, PurgePosition, PurgeResult


class NoMasters(S3Bucket):
    """A bucket without objects: whatever was made of an HTTPS origin is deleted."""

    def __init__(self) -> None:
        self.bucket = ""

    def head(self, key: str, version_id: str = "") -> ObjectHead | None:  # noqa: ARG002 - there is none
        """Return None."""
        return None


@dataclass(frozen=True, slots=True)
class SourceNames(ObjectNames):
    """Names of masters in the bucket of a further source."""

    source: FurtherSource = FurtherSource("")

    def name(self, key: str) -> str:
        """Return the name of the master of ``key``."""
        return self.source.name(key)


@dataclass(frozen=True)
class RoutedPurge(DerivativePurge):
    """Compares derivatives with the master in the source of their key. ``connect`` opens the bucket of a source."""

    sources: tuple[FurtherSource, ...] = ()
    connect: Callable[[FurtherSource], S3Bucket] = lambda _: NoMasters()

    def delete_stale(
        self, key: str, remaining_s: Callable[[], float] = lambda: math.inf, position: PurgePosition | None = None
    ) -> PurgeResult:
        """Delete the derivatives of ``key`` that are not of its current master. Raises Unavailable."""
        source = find_source(self.sources, key)
        if source is None:
            return super().delete_stale(key, remaining_s, position)
        bucket = self.connect(source) if source.bucket else NoMasters()
        names = SourceNames(source.prefix, encoded=False, source=source)
        return DerivativePurge(self.media, bucket, names).delete_stale(key, remaining_s, position)
