"""Messages of the purge queue: ``{"key": "photo.jpg", "pass": 1}``, with a ``place`` if some of it has been done.

``deferrals`` counts how often the purge has been sent again because it has to wait.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import BadUpload
from .purge import Place
from .received import redriven

FIRST, SECOND = 1, 2
"""The passes of a purge."""


def purge_message(key: str, number: int = FIRST, place: Place | None = None, deferrals: int = 0) -> dict[str, object]:
    """The message that has ``key`` purged; ``number`` is that of the pass, ``place`` where it goes on."""
    further = {"place": asdict(place)} if place else {}
    return {"key": key, "pass": number} | further | ({"deferrals": deferrals} if deferrals else {})


@dataclass(frozen=True, slots=True)
class Order:
    """What the messages of a batch ask for about one key. ``receives``: how often one of them has been received.

    ``redriven``: when one of them was sent back from the dead letters, "" if none was. ``deferrals``: how often one of
    them has been sent again to wait.
    """

    key: str
    number: int
    receives: int
    message_ids: tuple[str, ...]
    receipt_handles: tuple[str, ...]
    place: Place | None = None
    redriven: str = ""
    deferrals: int = 0

    @property
    def message(self) -> dict[str, object]:
        """One message that says the same, and has not waited yet."""
        return purge_message(self.key, self.number, self.place)

    @property
    def deferred(self) -> dict[str, object]:
        """One message that says the same, and has waited once more."""
        return purge_message(self.key, self.number, self.place, self.deferrals + 1)

    def joined(self, other: Order) -> Order:
        """Both in one, from the start: a first pass does what a second would, and is followed by another."""
        return Order(
            self.key,
            min(self.number, other.number),
            max(self.receives, other.receives),
            self.message_ids + other.message_ids,
            self.receipt_handles + other.receipt_handles,
            redriven=self.redriven or other.redriven,
            deferrals=max(self.deferrals, other.deferrals),
        )


def read_order(record: Mapping[str, Any]) -> Order:
    """The order in a record of an SQS event; raises BadUpload for a message that is none."""
    try:
        document = json.loads(record["body"])
        key, number = document["key"], document["pass"]
        key.encode()  # JSON can hold half a character, a path cannot
        place = Place(**document["place"]) if "place" in document else None
        deferrals = int(document.get("deferrals", 0))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadUpload("The message is no purge", field="body", detail=repr(error)) from error
    if not (key and number in (FIRST, SECOND)):
        raise BadUpload("The message is no purge", field="body", detail=record["body"][:500])
    receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    ids, handles = (record["messageId"],), (record["receiptHandle"],)
    return Order(key, number, receives, ids, handles, place, redriven(record), deferrals)


def merged(orders: Iterable[Order]) -> list[Order]:
    """One order for each key."""
    by_key: dict[str, Order] = {}
    for order in orders:
        known = by_key.get(order.key)
        by_key[order.key] = known.joined(order) if known else order
    return list(by_key.values())
