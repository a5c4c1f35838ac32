"""Purge flow (docs/explanation/architecture.md), S3 part: delete derivatives that were not made from the current
master.

It may run at any time and any number of times. A run that stops early returns its position, and the next run continues
from there as long as the master is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ...aws.s3 import ListedObject, ObjectHead, S3Bucket
from ..caching import SOURCE_ETAG
from ..s3_keys import MASTERS, ObjectNames, derivatives_prefix

CONCURRENT_HEADS = 10
"""Connections of a boto3 client."""

MAX_STARTS = 5
"""How often a purge begins anew because the master changed under it, before it leaves the rest to a later one."""

PAGE_TIME_S = 10.0
"""Time left below which no further page is begun: a thousand HEADs and a DeleteObjects take some 3 s."""


@dataclass(frozen=True, slots=True)
class PurgePosition:
    """How far a purge came: all up to the derivative ``after`` have been held against ``master``, its entity tag."""

    master: str
    after: str


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """What a purge did. ``kept`` were made from the present master.

    Not ``complete``: it has to be run again, from ``place`` if there is one.
    """

    deleted: int
    kept: int
    complete: bool
    position: PurgePosition | None = None


@dataclass(frozen=True)
class DerivativePurge:
    """Derivatives are in ``media``, masters in ``source`` by ``source_names``."""

    media: S3Bucket
    source: S3Bucket
    source_names: ObjectNames = MASTERS

    def delete_stale(
        self, key: str, remaining_s: Callable[[], float] = lambda: math.inf, position: PurgePosition | None = None
    ) -> PurgeResult:
        """Delete the derivatives of ``key`` that were not made from its present master; all of them if it has none.

        A refused source's marker is one of them. What is replaced meanwhile is left. Stops early when ``remaining_s``
        tells that time is short, or when the master keeps changing. ``place`` is where an earlier one stopped. Raises
        Unavailable.
        """
        deleted = 0
        for _ in range(MAX_STARTS):
            master, kept = self._master(key), 0
            after = position.after if position is not None and position.master == master else ""
            for page in self.media.list_pages(derivatives_prefix(key), start_after=after):
                if remaining_s() < PAGE_TIME_S:
                    return PurgeResult(
                        deleted, kept, complete=False, position=PurgePosition(master, after) if after else None
                    )
                stale, fresh = self._find_stale(page, master)
                deleted += self.media.delete_many(stale)
                kept += fresh
                if self._master(key) != master:
                    break
                after = page[-1].key
            else:
                return PurgeResult(deleted, kept, complete=True)
        return PurgeResult(deleted, kept, complete=False)

    def _master(self, key: str) -> str:
        """The present master's entity tag as derivatives bear it, empty if there is no master."""
        found = self.source.head(self.source_names.name(key))
        return found.etag.strip('"') if found is not None else ""

    def _find_stale(self, page: Sequence[ListedObject], master: str) -> tuple[Sequence[ObjectHead | ListedObject], int]:
        """The stale ones, and how many are fresh. What does not say what it was made from is stale."""
        if not master:
            return page, 0
        with ThreadPoolExecutor(CONCURRENT_HEADS) as pool:
            heads = [head for head in pool.map(self.media.head, [one.key for one in page]) if head is not None]
        stale = [head for head in heads if head.metadata.get(SOURCE_ETAG) != master]
        return stale, len(heads) - len(stale)
