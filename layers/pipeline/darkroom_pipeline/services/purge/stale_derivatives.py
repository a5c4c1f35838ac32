"""Purge flow (docs/explanation/architecture.md), S3 part: delete derivatives that are not of the current master.

Idempotent. A run that stops early returns its position, and the next run continues there if the master is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from darkroom.image_keys import HELD_MASTERS, MASTERS, ObjectNames, derivatives_prefix, manifests_prefix
from darkroom.services.caching import MASTER_RIGHTS, SOURCE_ETAG, UPLOAD_SHA256, list_source_versions

from ...aws.s3 import ListedObject, ObjectHead, S3Bucket

CONCURRENT_HEADS = 10
"""Connections of a boto3 client."""

MAX_STARTS = 5
"""Maximum of restarts because the master changed meanwhile; then a later purge continues."""

PAGE_TIME_S = 10.0
"""Minimum remaining time for a further page: a thousand HEADs and a DeleteObjects take some 3 s."""


@dataclass(frozen=True, slots=True)
class PurgePosition:
    """Position of a purge: derivatives up to ``after`` have been compared with ``master``, the versions of a master."""

    master: str
    after: str


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """Result of a purge. ``kept`` derivatives are of the current master; ``etags`` are theirs, by name.

    Not ``complete``: it has to be run again, from ``position`` if there is one.
    """

    deleted: int
    kept: int
    complete: bool
    position: PurgePosition | None = None
    etags: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class DerivativePurge:
    """Deletes stale derivatives in ``media``; masters are in ``source`` by ``source_names``."""

    media: S3Bucket
    source: S3Bucket
    source_names: ObjectNames = MASTERS

    def delete_stale(
        self, key: str, remaining_s: Callable[[], float] = lambda: math.inf, position: PurgePosition | None = None
    ) -> PurgeResult:
        """Delete the derivatives of ``key`` that are not of its current master; all of them if it has none.

        The marker of a refused source is one of them. Objects that are replaced meanwhile are kept, and those of a
        newer master: it is read again after the derivatives, before one of them is deleted. Stops early when
        ``remaining_s`` is short, or when the master keeps changing. ``position`` is where an earlier run stopped.
        Raises Unavailable.
        """
        deleted = 0
        for _ in range(MAX_STARTS):
            versions, kept, etags = self._list_versions(key), 0, dict[str, str]()
            master = " ".join(versions)
            after = position.after if position is not None and position.master == master else ""
            for page in self.media.list_pages(derivatives_prefix(key), start_after=after):
                if remaining_s() < PAGE_TIME_S:
                    return PurgeResult(
                        deleted, kept, complete=False, position=PurgePosition(master, after) if after else None
                    )
                stale, fresh = self._find_stale(page, versions)
                if self._list_versions(key) != versions:
                    break  # what is not of the earlier master may be of the newer one
                kept, etags = kept + len(fresh), etags | {head.key: head.etag for head in fresh}
                if stale:
                    deleted += self.media.delete_many(stale)
                    if self._list_versions(key) != versions:
                        break
                after = page[-1].key
            else:
                self.delete_stale_manifests(key)
                return PurgeResult(deleted, kept, complete=True, etags=etags)
        return PurgeResult(deleted, kept, complete=False)

    def delete_stale_manifests(self, key: str) -> None:
        """Delete the manifests of uploads that neither the current master of ``key`` nor the held one was made from.

        Raises Unavailable.
        """
        for page in self.media.list_pages(manifests_prefix(key)):
            masters = (self.source.head(self.source_names.name(key)), self.media.head(HELD_MASTERS.name(key)))
            kept = {found.metadata.get(UPLOAD_SHA256) for found in masters if found is not None}
            self.media.delete_many([one for one in page if one.key.rpartition("/")[2] not in kept])

    def _list_versions(self, key: str) -> tuple[str, ...]:
        """Return the versions of the current master that derivatives can have, none if there is no master."""
        found = self.source.head(self.source_names.name(key))
        return list_source_versions(found.etag, found.metadata.get(MASTER_RIGHTS, "")) if found is not None else ()

    def _find_stale(
        self, page: Sequence[ListedObject], versions: Sequence[str]
    ) -> tuple[Sequence[ObjectHead | ListedObject], Sequence[ObjectHead]]:
        """Return the stale ones and the fresh ones. A derivative without a version of its master is stale."""
        if not versions:
            return page, ()
        with ThreadPoolExecutor(CONCURRENT_HEADS) as pool:
            heads = [head for head in pool.map(self.media.head, [one.key for one in page]) if head is not None]
        stale = [head for head in heads if head.metadata.get(SOURCE_ETAG) not in versions]
        return stale, [head for head in heads if head.metadata.get(SOURCE_ETAG) in versions]
