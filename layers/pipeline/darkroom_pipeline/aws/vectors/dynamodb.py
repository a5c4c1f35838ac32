"""Embeddings in a DynamoDB table, searched exactly: every vector below the prefix is read and compared.

The partition key is a shard of the image's key, the sort key the image's key: a search reads only what is below its
prefix, from all shards concurrently. Each task has shards of its own. ``docs/guides/similarity.md`` has the cost of a
search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from heapq import nsmallest
from typing import Any
from zlib import crc32

from darkroom.findings import LIKENESS, SIMILARITY

from ..clients import translate_errors, write_if
from . import TEXTS, Neighbour, StoredVector
from .packing import HASH_BITS, QueryVector, hamming_distance, pack, unpack

SHARDS = 8
"""Partitions that share the writes and are read concurrently: fewer than the 10 connections of a client. The number is
part of the stored keys and cannot change."""

FIRST_SHARDS = {SIMILARITY: 0, LIKENESS: SHARDS}
"""The first partition of each task."""

FIRST_FREE_PARTITION = 2 * SHARDS
"""The first partition that has no embeddings (:mod:`..tag_index`)."""

type _Item = Mapping[str, Any]
type _Scored = tuple[float, str, str]
"""Minus the score, key and perceptual hash: the best sort first, equal scores by key."""


class DynamoDBVectors:
    """A table of the embeddings of ``task``. ``client`` is a boto3 client for DynamoDB."""

    def __init__(self, client: Any, table: str, task: str = SIMILARITY) -> None:
        self._client = client
        self._table = table
        self._first = FIRST_SHARDS[task]

    def put(self, new: StoredVector) -> None:
        item = {**self._item_key(new.key), **{name: {"S": getattr(new, name)} for name in TEXTS}}
        if new.vector:
            with translate_errors(f"vector put {new.key}"):
                self._client.put_item(TableName=self._table, Item={**item, "vector": {"B": pack(new.vector)}})
        else:
            write_if(
                self._client.put_item,
                f"hash put {new.key}",
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(vector) OR source_etag <> :etag",
                ExpressionAttributeValues={":etag": item["source_etag"]},
            )

    def delete(self, key: str) -> None:
        with translate_errors(f"vector delete {key}"):
            self._client.delete_item(TableName=self._table, Key=self._item_key(key))

    def get(self, key: str) -> StoredVector | None:
        with translate_errors(f"vector get {key}"):
            found = self._client.get_item(TableName=self._table, Key=self._item_key(key), ConsistentRead=True)
        return _parse_item(found["Item"]) if "Item" in found else None

    def nearest(self, vector: Sequence[float], *, count: int, prefix: str, model: str = "") -> list[Neighbour]:
        question = QueryVector.from_floats(vector)

        def score(item: _Item) -> float:
            return question.score(item["vector"]["B"])

        return self._best(score, count, prefix, "attribute_exists(vector) AND model = :model", {":model": {"S": model}})

    def nearest_by_hash(self, perceptual_hash: str, *, count: int, prefix: str) -> list[Neighbour]:
        def score(item: _Item) -> float:
            return 1 - hamming_distance(perceptual_hash, item["perceptual_hash"]["S"]) / HASH_BITS

        return self._best(score, count, prefix, "perceptual_hash <> :none", {":none": {"S": ""}})

    def _best(
        self, score: Callable[[_Item], float], count: int, prefix: str, condition: str, values: Mapping[str, Any]
    ) -> list[Neighbour]:
        """Return the best of all shards. ``score`` is applied to items that match ``condition``."""

        def of_shard(shard: int) -> list[_Scored]:
            items = self._items(shard, prefix, condition, values)
            return nsmallest(count, ((-score(item), item["sk"]["S"], item["perceptual_hash"]["S"]) for item in items))

        with ThreadPoolExecutor(SHARDS) as pool:
            found = [scored for some in pool.map(of_shard, range(SHARDS)) for scored in some]
        return [Neighbour(key, -minus, perceptual_hash) for minus, key, perceptual_hash in nsmallest(count, found)]

    def _items(self, shard: int, prefix: str, condition: str, values: Mapping[str, Any]) -> Iterator[_Item]:
        """Yield the items below ``prefix`` in one shard, page by page (1 MB each)."""
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :shard" + (" AND begins_with(sk, :prefix)" if prefix else ""),
            "FilterExpression": condition,
            "ProjectionExpression": "sk, vector, perceptual_hash",
            "ExpressionAttributeValues": {":shard": {"N": str(self._first + shard)}, **values}
            | ({":prefix": {"S": prefix}} if prefix else {}),
        }
        while True:
            with translate_errors(f"vectors below {prefix} in shard {shard}"):
                page = self._client.query(**query)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _item_key(self, key: str) -> dict[str, dict[str, str]]:
        return {"pk": {"N": str(self._first + crc32(key.encode()) % SHARDS)}, "sk": {"S": key}}


def _parse_item(item: _Item) -> StoredVector:
    vector = unpack(item["vector"]["B"]) if "vector" in item else ()
    return StoredVector(item["sk"]["S"], vector, *(item[name]["S"] for name in TEXTS))
