"""Messages of the purge queue: ``{"key": "photo.jpg", "pass": 1}``, with a ``place`` if some of it has been done.

``deferrals`` counts how often the purge has been sent again because it has to wait.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...errors import BadUpload
from ..sqs_message import read_redriven
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
) -> dict[str, object]:
    """The message that has ``key`` purged; ``number`` is that of the pass, ``place`` where it goes on.

    ``erasure`` is the id of the erasure that the purge belongs to.
    """
    further = {
        "place": asdict(position) if position else None,
        "deferrals": deferrals,
        "erasure": erasure,
        "invalidation": invalidation,
    }
    return {"key": key, "pass": pass_number} | {name: value for name, value in further.items() if value}


@dataclass(frozen=True, slots=True)
class PurgeMessage:
    """What the messages of a batch ask for about one key. ``receives``: how often one of them has been received.

    ``redriven``: when one of them was sent back from the dead letters, "" if none was. ``deferrals``: how often one of
    them has been sent again to wait. ``erasure``: the newest of those that they belong to, "" if to none.
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

    @property
    def document(self) -> dict[str, object]:
        """One message that says the same, and has not waited yet."""
        return purge_message(self.key, self.pass_number, self.position, 0, self.erasure, self.invalidation)

    @property
    def deferred_document(self) -> dict[str, object]:
        """One message that says the same, and has waited once more."""
        return purge_message(
            self.key, self.pass_number, self.position, self.deferrals + 1, self.erasure, self.invalidation
        )

    def merge(self, other: PurgeMessage) -> PurgeMessage:
        """Both in one, from the start: a first pass does what a second would, and is followed by another.

        Of two erasures the older one is over when the newer one has begun.
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
        )


def parse_message(record: Mapping[str, Any]) -> PurgeMessage:
    """The order in a record of an SQS event; raises BadUpload for a message that is none."""
    try:
        document = json.loads(record["body"])
        key, number = document["key"], document["pass"]
        key.encode()  # JSON can hold half a character, a path cannot
        place = PurgePosition(**document["place"]) if "place" in document else None
        deferrals = int(document.get("deferrals", 0))
        erasure, invalidation = str(document.get("erasure", "")), str(document.get("invalidation", ""))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadUpload("The message is no purge", field="body", detail=repr(error)) from error
    if not (key and number in (FIRST, SECOND, CONFIRM) and (number != CONFIRM or (erasure and invalidation))):
        raise BadUpload("The message is no purge", field="body", detail=record["body"][:500])
    receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    ids, handles = (record["messageId"],), (record["receiptHandle"],)
    return PurgeMessage(
        key, number, receives, ids, handles, place, read_redriven(record), deferrals, erasure, invalidation
    )


def merge_messages(messages: Iterable[PurgeMessage]) -> list[PurgeMessage]:
    """One order for each key, and one that confirms."""
    by_key: dict[tuple[str, bool], PurgeMessage] = {}
    for order in messages:
        name = order.key, order.pass_number == CONFIRM
        by_key[name] = by_key[name].merge(order) if name in by_key else order
    return list(by_key.values())
