"""Purge flow (docs/explanation/architecture.md), messages and S3 part: delete stale derivatives.

Idempotent. A run that stops early returns its position, and the next run continues there if the master is the same.

Messages of the purge queue are ``{"key": "photo.jpg", "pass": 1}``, with a ``place`` if the pass has begun;
``deferrals`` counts how often the message has been deferred.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from darkroom.errors import BadUpload
from darkroom.image_keys import HELD_MASTERS, MASTERS, ObjectNames, derivatives_prefix, manifests_prefix
from darkroom.services.caching import MASTER_RIGHTS, SOURCE_ETAG, UPLOAD_SHA256, list_source_versions

from ...aws.s3 import ListedObject, ObjectHead, S3Bucket
from ..queue_consumer import read_redriven

CONCURRENT_HEADS = 10
"""Connections of a boto3 client."""

MAX_STARTS = 5
"""Maximum of restarts because the master changed meanwhile; then a later purge continues."""

PAGE_TIME_S = 10.0
"""Minimum remaining time for a further page: a thousand HEADs and a DeleteObjects take some 3 s."""

FIRST, SECOND, CONFIRM = 1, 2, 3
"""The passes of a purge. The third one, of an erasure alone, confirms that CloudFront has completed the second one."""


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


def purge_message(  # one argument for each field
    key: str,
    pass_number: int = FIRST,
    position: PurgePosition | None = None,
    deferrals: int = 0,
    erasure: str = "",
    invalidation: str = "",
    bulk_s: int = 0,
    *,
    cleared: bool = False,
) -> dict[str, object]:
    """Return the message for a pass over ``key``, from ``position`` on.

    ``erasure`` is the id of the erasure that the purge belongs to; ``bulk_s`` and ``cleared`` are explained at
    PurgeMessage.
    """
    further = {
        "place": asdict(position) if position else None,
        "deferrals": deferrals,
        "erasure": erasure,
        "invalidation": invalidation,
        "bulk_s": bulk_s,
        "cleared": cleared,
    }
    return {"key": key, "pass": pass_number} | {name: value for name, value in further.items() if value}


@dataclass(frozen=True, slots=True)
class PurgeMessage:
    """The messages of a batch about one key, merged. ``receives``: the most receives of one of them.

    ``redriven``: when one of them was redriven from the DLQ, "" if none was. ``deferrals``: the most deferrals of
    one of them. ``erasure``: the newest erasure that they belong to, "" if there is none. ``bulk_s``: Unix time from
    which an invalidation of the whole CDN completes the purge, 0 if there is none. ``cleared``: the sender has run the
    S3 part of the first pass.
    """

    key: str
    pass_number: int
    receives: int
    message_ids: tuple[str, ...]
    receipt_handles: tuple[str, ...]
    position: PurgePosition | None = None
    redriven: str = ""
    deferrals: int = 0
    erasure: str = ""
    invalidation: str = ""
    bulk_s: int = 0
    cleared: bool = False

    def to_document(self, deferrals: int = 0) -> dict[str, object]:
        """Return one message for the same work, which has been deferred so often."""
        further = self.erasure, self.invalidation, self.bulk_s
        return purge_message(self.key, self.pass_number, self.position, deferrals, *further, cleared=self.cleared)

    def merge(self, other: PurgeMessage) -> PurgeMessage:
        """Merge both, without a position: a first pass includes a second, and is followed by another.

        A newer erasure replaces an older one.
        """
        return PurgeMessage(
            self.key,
            min(self.pass_number, other.pass_number),
            max(self.receives, other.receives),
            self.message_ids + other.message_ids,
            self.receipt_handles + other.receipt_handles,
            redriven=self.redriven or other.redriven,
            deferrals=max(self.deferrals, other.deferrals),
            erasure=max(self.erasure, other.erasure),
            invalidation=max((self.erasure, self.invalidation), (other.erasure, other.invalidation))[1],
            bulk_s=max(self.bulk_s, other.bulk_s) if self.bulk_s and other.bulk_s else 0,
            cleared=self.cleared and other.cleared,
        )


def parse_message(record: Mapping[str, Any]) -> PurgeMessage:
    """Parse a record of an SQS event; raises BadUpload for another message."""
    try:
        document = json.loads(record["body"])
        key, number = document["key"], document["pass"]
        key.encode()  # JSON can contain a lone surrogate, a path cannot
        place = PurgePosition(**document["place"]) if "place" in document else None
        deferrals = int(document.get("deferrals", 0))
        erasure, invalidation = str(document.get("erasure", "")), str(document.get("invalidation", ""))
        bulk_s, cleared = int(document.get("bulk_s", 0)), bool(document.get("cleared", False))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadUpload("The message is not a purge", field="body", detail=repr(error)) from error
    if not (key and number in (FIRST, SECOND, CONFIRM) and (number != CONFIRM or (erasure and invalidation))):
        raise BadUpload("The message is not a purge", field="body", detail=record["body"][:500])
    return replace(
        first_pass(record, key),
        pass_number=number,
        position=place,
        deferrals=deferrals,
        erasure=erasure,
        invalidation=invalidation,
        bulk_s=bulk_s,
        cleared=cleared,
    )


def first_pass(record: Mapping[str, Any], key: str) -> PurgeMessage:
    """Build the first pass over ``key`` that a record of an SQS event requests."""
    receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    ids, handles = (record["messageId"],), (record["receiptHandle"],)
    return PurgeMessage(key, FIRST, receives, ids, handles, redriven=read_redriven(record))


def merge_messages(messages: Iterable[PurgeMessage]) -> list[PurgeMessage]:
    """Merge to one message for each key, and one that confirms."""
    by_key: dict[tuple[str, bool], PurgeMessage] = {}
    for message in messages:
        name = message.key, message.pass_number == CONFIRM
        by_key[name] = by_key[name].merge(message) if name in by_key else message
    return list(by_key.values())
