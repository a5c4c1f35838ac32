"""Flow 5, the half in S3: derivatives that were not made from the present master are deleted.

It may run at any time and any number of times. A purge that was cut short leaves what it deleted deleted, so that the
next one has less to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..aws.vault import Kept, Listed, Vault
from .caching import SOURCE_ETAG
from .transform import DERIVATIVES

HEADS_AT_ONCE = 10
"""Connections of a boto3 client."""

MAX_STARTS = 5
"""How often a purge begins anew because the master changed under it, before it leaves the rest to a later one."""

SPARE_S = 10.0
"""Time left below which no further page is begun: a thousand HEADs and a DeleteObjects take some 3 s."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a purge did. ``kept`` were made from the present master. Not ``complete``: it has to be run again."""

    deleted: int
    kept: int
    complete: bool


@dataclass(frozen=True)
class Purge:
    """Derivatives are in ``media``, masters in ``source`` below ``source_prefix``."""

    media: Vault
    source: Vault
    source_prefix: str = "masters/"

    def clear(self, key: str, remaining_s: Callable[[], float] = lambda: math.inf) -> Cleared:
        """Delete the derivatives of ``key`` that were not made from its present master; all of them if it has none.

        A refused source's marker is one of them. Stops early when ``remaining_s`` tells that time is short, or when the
        master keeps changing. Raises Unavailable.
        """
        deleted = 0
        for _ in range(MAX_STARTS):
            master = self._master(key)
            kept = 0
            for page in self.media.pages(derivatives_of(key)):
                if remaining_s() < SPARE_S:
                    return Cleared(deleted, kept, complete=False)
                stale, fresh = self._told_apart(page, master)
                deleted += self.media.delete_many(stale)
                kept += len(fresh)
                if _etag(self._master(key)) != _etag(master):
                    break
            else:
                return Cleared(deleted, kept, complete=True)
        return Cleared(deleted, kept, complete=False)

    def _master(self, key: str) -> Kept | None:
        return self.source.head(self.source_prefix + key)

    def _told_apart(self, page: Sequence[Listed], master: Kept | None) -> tuple[list[str], list[str]]:
        """The stale keys and the fresh ones. What does not say what it was made from is stale."""
        keys = [listed.key for listed in page]
        if master is None:
            return keys, []
        with ThreadPoolExecutor(HEADS_AT_ONCE) as pool:
            heads = [head for head in pool.map(self.media.head, keys) if head is not None]
        fresh = {head.key for head in heads if head.metadata.get(SOURCE_ETAG) == _etag(master)}
        return [head.key for head in heads if head.key not in fresh], sorted(fresh)


def derivatives_of(key: str) -> str:
    """The prefix of every derivative of ``key``."""
    return f"{DERIVATIVES}{key}/_/"


def _etag(master: Kept | None) -> str | None:
    """The entity tag as derivatives bear it."""
    return master.etag.strip('"') if master is not None else None
