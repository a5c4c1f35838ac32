"""A bounded reservoir of samples in the index table: each sample overwrites a random slot.

The slots hold mostly recent images, and their number never grows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import batched
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from ..aws.clients import translate_errors
from ..aws.index import BATCH_SIZE
from ..aws.record import from_decimals, to_decimals
from .sample import Sample, parse_sample

SLOTS = 1000
"""Slots of a deployment, read in ten requests; with an embedding of 512 dimensions a sample has about 1 KB."""

TRIAL_SLOTS = 500
"""Additional slots for shadow-tested images: a canary takes few calls, and its share of the other slots would be as
small."""

RETENTION_S = 90 * 86_400
"""Time until a sample expires that no other one has overwritten."""

SAMPLE = "sample#"
"""Prefix of the slot's number in the partition key."""

type _Item = dict[str, Any]

_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


class SampleStore:
    """The slots in ``table``. ``choose`` picks a random slot. Raises Unavailable for any failure of the table."""

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        slots: int = SLOTS,
        trial_slots: int = TRIAL_SLOTS,
        choose: Callable[[int], int] = random.randrange,
    ) -> None:
        self._client = client
        self._table = table
        self._slots = slots
        self._trial_slots = trial_slots
        self._choose = choose

    def put(self, sample: Sample) -> int:
        """Write ``sample`` into a slot; return its number."""
        slot = self._choose(self._slots) if sample.trial is None else self._slots + self._choose(self._trial_slots)
        document = sample.to_document() | {"expires_at_s": int(sample.at_s) + RETENTION_S}
        values = {name: _serializer.serialize(to_decimals(value)) for name, value in document.items()}
        with translate_errors("sample put"):
            self._client.put_item(TableName=self._table, Item=values | _item_key(slot))
        return slot

    def recent(self, *, since_s: float = 0.0) -> list[Sample]:
        """Return all samples since ``since_s`` (Unix time), in no order."""
        found = [parse_sample(_values(item)) for item in self._items()]
        return [sample for sample in found if sample.at_s >= since_s]

    def delete(self, key: str) -> int:
        """Delete the samples of ``key``; return their number."""
        mine = [item["pk"] for item in self._items("pk, #key") if item["key"]["S"] == key]
        return sum(self._delete(name, key) for name in mine)

    def withdraw(self, slot: int, key: str) -> None:
        """Delete the sample of ``key`` in ``slot``, unless another key's sample has replaced it."""
        self._delete(_item_key(slot)["pk"], key)

    def _delete(self, name: dict[str, str], key: str) -> bool:
        with translate_errors("sample delete"):
            try:
                self._client.delete_item(
                    TableName=self._table,
                    Key={"pk": name},
                    ConditionExpression="#key = :key",
                    ExpressionAttributeNames={"#key": "key"},
                    ExpressionAttributeValues={":key": {"S": key}},
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _items(self, fields: str = "") -> Iterator[_Item]:
        """Yield the items of the slots, or only their ``fields`` (the attribute ``key`` as #key)."""
        projection = {"ProjectionExpression": fields, "ExpressionAttributeNames": {"#key": "key"}} if fields else {}
        for slots in batched(range(self._slots + self._trial_slots), BATCH_SIZE, strict=False):
            wanted: Any = {
                self._table: {"Keys": [_item_key(slot) for slot in slots], "ConsistentRead": True, **projection}
            }
            while wanted:
                with translate_errors("samples get"):
                    answer = self._client.batch_get_item(RequestItems=wanted)
                yield from answer["Responses"].get(self._table, [])
                wanted = answer.get("UnprocessedKeys")


def _item_key(slot: int) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"{SAMPLE}{slot}"}}


def _values(item: _Item) -> dict[str, Any]:
    return {name: from_decimals(_deserializer.deserialize(value)) for name, value in item.items()}
