"""Messages of the purge queue: ``{"key": "photo.jpg", "pass": 1}``, with a ``place`` if the pass has begun.

``deferrals`` counts how often the message has been deferred.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from darkroom.errors import BadUpload

from ..queue_consumer import read_redriven
from .stale_derivatives import PurgePosition

FIRST, SECOND, CONFIRM = 1, 2, 3
"""The passes of a purge. The third one, of an erasure alone, confirms that CloudFront has completed the second one."""


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
