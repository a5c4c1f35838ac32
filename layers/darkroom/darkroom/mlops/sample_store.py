"""A bounded reservoir of samples in the index table: each is put into a slot by chance, over whatever was there.

So the slots hold recent pictures, older ones ever fewer, and their number never grows.
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
"""Of a deployment. All are read in ten requests; with an embedding of 512 dimensions a sample has about 1 KB."""

TRIAL_SLOTS = 500
"""Further ones, for pictures that a canary was asked about: it takes few calls, and among the others they would never
be more than its share of them."""

SAMPLE = "sample#"
"""Before the slot's number, in the partition key."""

type _Item = dict[str, Any]

_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


class SampleStore:
    """The slots in ``table``. ``choose`` picks one of a number of them. Every fault of the table is Unavailable."""

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
        """Put ``sample`` into a slot; which one."""
        slot = self._choose(self._slots) if sample.trial is None else self._slots + self._choose(self._trial_slots)
        values = {name: _serializer.serialize(to_decimals(value)) for name, value in sample.to_document().items()}
        with translate_errors("sample put"):
            self._client.put_item(TableName=self._table, Item=values | _item_key(slot))
        return slot

    def recent(self, *, since_s: float = 0.0) -> list[Sample]:
        """All samples that were taken at ``since_s`` (Unix time) or later, in no order."""
        found = [parse_sample(_values(item)) for item in self._items()]
        return [sample for sample in found if sample.at_s >= since_s]

    def delete(self, key: str) -> int:
        """Delete the samples of the picture ``key``; how many there were."""
        mine = [item["pk"] for item in self._items("pk, #key") if item["key"]["S"] == key]
        return sum(self._delete(name, key) for name in mine)

    def withdraw(self, slot: int, key: str) -> None:
        """Take back what was put into ``slot`` of ``key``, unless another picture's sample is there by now."""
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
        """What is in the slots, ``fields`` of it alone if they are given (the attribute ``key`` as #key)."""
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
