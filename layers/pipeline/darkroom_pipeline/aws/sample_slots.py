"""The slots of samples of analyses in the index table, which an erasure searches also when there are no models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import batched
from typing import Any

from .clients import translate_errors
from .index import BATCH_SIZE

SLOTS = 1000
"""Slots of a deployment, read in ten requests; with an embedding of 512 dimensions a sample has about 1 KB."""

TRIAL_SLOTS = 500
"""Additional slots for shadow-tested images: a canary takes few calls, and its share of the other slots would be as
small."""

SAMPLE = "sample#"
"""Prefix of the slot's number in the partition key."""

type Item = dict[str, Any]


class SampleSlots:
    """The slots in ``table``. Raises Unavailable for any failure of the table."""

    def __init__(self, client: Any, table: str, *, slots: int = SLOTS, trial_slots: int = TRIAL_SLOTS) -> None:
        self._client = client
        self._table = table
        self._slots = slots
        self._trial_slots = trial_slots

    def delete(self, key: str) -> int:
        """Delete the samples of ``key``; return their number."""
        mine = [item["pk"] for item in self._items("pk, #key") if item["key"]["S"] == key]
        return sum(self._delete(name, key) for name in mine)

    def withdraw(self, slot: int, key: str) -> None:
        """Delete the sample of ``key`` in ``slot``, unless another key's sample has replaced it."""
        self._delete(_item_key(slot)["pk"], key)

    def _write(self, slot: int, values: Item) -> None:
        with translate_errors("sample put"):
            self._client.put_item(TableName=self._table, Item=values | _item_key(slot))

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

    def _items(self, fields: str = "") -> Iterator[Item]:
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
