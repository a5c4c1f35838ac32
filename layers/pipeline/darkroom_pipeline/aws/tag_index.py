"""Images by tag, in the table of embeddings.

An image has one item with its tags, and one for each of them, whose sort key begins with the tag and ends with the
image's key: a page of images with a tag below a prefix is one query. A transaction writes all items of an image, so
that a worker that is killed leaves either all of its tags or all of the earlier ones.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from zlib import crc32

from botocore.exceptions import ClientError

from darkroom.errors import Unavailable

from .clients import error_code, translate_errors
from .vectors.dynamodb import FIRST_FREE_PARTITION, SHARDS

MAX_TAGS = 32
"""Tags of one image; those with the lowest scores are left out. A transaction has 100 actions at most: it deletes the
earlier tags, puts the new ones, and writes the item that lists them."""

FIRST_TAG_PARTITION = FIRST_FREE_PARTITION + SHARDS
"""The partition of a tag is this and a hash of the tag. Those below it, one for each shard, list tags of images."""

TAG_PARTITIONS = 2**31

MAX_TAG_BYTES = 256
"""A longer tag is left out: it and a key of 700 bytes are a sort key, of which DynamoDB accepts 1,024."""

_MAX_ATTEMPTS = 5
"""Attempts to write tags of an image that another worker changes concurrently."""

_SEPARATOR = "\n"
"""Between tag and key. A folded tag has no line break, so that no tag is the beginning of another one's sort keys."""


@dataclass(frozen=True, slots=True)
class TaggedImage:
    """The image ``key`` has a tag with ``score`` (0–1). ``source_etag`` (without quotes) is that of its master."""

    key: str
    score: float
    source_etag: str


class TagIndex:
    """Tags in ``table``. ``client`` is a boto3 client for DynamoDB. Every fault is Unavailable."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, key: str, tags: Mapping[str, float], source_etag: str) -> None:
        """Replace the tags of the image ``key`` by ``tags`` with their scores."""
        best = sorted(((fold_tag(name), score) for name, score in tags.items()), key=lambda one: (-one[1], one[0]))
        folded: dict[str, float] = {}
        for name, score in best:
            if 0 < len(name.encode()) <= MAX_TAG_BYTES and len(folded) < MAX_TAGS:
                folded.setdefault(name, score)
        self._replace(key, folded, source_etag)

    def get(self, key: str) -> tuple[str, ...]:
        """Return the tags of the image ``key`` in alphabetical order, by a consistent read."""
        return self._read(key)[0]

    def delete(self, key: str) -> int:
        """Delete the tags of the image ``key``; return their number."""
        return self._replace(key, {}, "")

    def list_page(self, tag: str, *, prefix: str, after: str = "", limit: int) -> list[TaggedImage]:
        """Return up to ``limit`` images with ``tag``, by key: those below ``prefix`` and after the key ``after``.

        ``prefix`` is a key, or ends in a slash. Writes of the last second may be missing.
        """
        tag = fold_tag(tag)
        last = f"{prefix[:-1]}0" if prefix.endswith("/") else prefix  # 0 is the character after the slash
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :tag AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":tag": {"N": _tag_partition(tag)},
                ":first": {"S": _sort_key(tag, max(prefix, after))},
                ":last": {"S": _sort_key(tag, last)},
            },
        }
        found: list[TaggedImage] = []
        while len(found) < limit:
            with translate_errors(f"images with a tag below {prefix}"):
                page = self._client.query(**query, Limit=limit + 2)  # the bounds themselves may be items
            images = (_parse_image(item) for item in page["Items"])
            found += [one for one in images if one.key.startswith(prefix) and one.key > after]
            if "LastEvaluatedKey" not in page:
                break
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return found[:limit]

    def _replace(self, key: str, tags: Mapping[str, float], source_etag: str) -> int:
        """Write ``tags`` as all tags of ``key``; return the number of the earlier ones."""
        for _ in range(_MAX_ATTEMPTS):
            known, token = self._read(key)
            if not known and not tags:
                return 0
            actions = [{"Delete": self._delete(name, key)} for name in known if name not in tags]
            actions += [{"Put": self._put(name, key, score, source_etag)} for name, score in tags.items()]
            with translate_errors(f"tags of {key}"):
                try:
                    self._client.transact_write_items(TransactItems=[self._list(key, tags, token), *actions])
                except ClientError as error:
                    if error_code(error) != "TransactionCanceledException":
                        raise
                    continue
            return len(known)
        raise Unavailable(detail=f"the tags of {key} were changed concurrently")

    def _read(self, key: str) -> tuple[tuple[str, ...], str]:
        """Return the tags of ``key`` and the token of their item, empty without one. Each write has another token."""
        with translate_errors(f"tags of {key}"):
            found = self._client.get_item(TableName=self._table, Key=_list_key(key), ConsistentRead=True)
        item = found.get("Item", {})
        return tuple(one["S"] for one in item.get("tags", {}).get("L", [])), str(item.get("token", {}).get("S", ""))

    def _list(self, key: str, tags: Mapping[str, float], token: str) -> dict[str, Any]:
        """Return the action that replaces the item with ``token`` by one with ``tags``, or deletes it without any."""
        action: dict[str, Any] = {
            "TableName": self._table,
            "ConditionExpression": "#token = :seen" if token else "attribute_not_exists(#token)",
            "ExpressionAttributeNames": {"#token": "token"},
        } | ({"ExpressionAttributeValues": {":seen": {"S": token}}} if token else {})
        if not tags:
            return {"Delete": {**action, "Key": _list_key(key)}}
        names = {"L": [{"S": name} for name in sorted(tags)]}
        return {"Put": {**action, "Item": {**_list_key(key), "tags": names, "token": {"S": uuid4().hex}}}}

    def _put(self, tag: str, key: str, score: float, source_etag: str) -> dict[str, Any]:
        values = {"score": {"N": f"{score:.4f}"}, "source_etag": {"S": source_etag}}
        return {"TableName": self._table, "Item": {**_tag_key(tag, key), **values}}

    def _delete(self, tag: str, key: str) -> dict[str, Any]:
        return {"TableName": self._table, "Key": _tag_key(tag, key)}


def fold_tag(tag: str) -> str:
    """Return ``tag`` as it is compared: without case, in Unicode's composed form, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", tag.casefold()).split())


def _tag_partition(tag: str) -> str:
    return str(FIRST_TAG_PARTITION + crc32(tag.encode()) % TAG_PARTITIONS)


def _sort_key(tag: str, key: str) -> str:
    return f"{tag}{_SEPARATOR}{key}"


def _tag_key(tag: str, key: str) -> dict[str, dict[str, str]]:
    return {"pk": {"N": _tag_partition(tag)}, "sk": {"S": _sort_key(tag, key)}}


def _list_key(key: str) -> dict[str, dict[str, str]]:
    return {"pk": {"N": str(FIRST_FREE_PARTITION + crc32(key.encode()) % SHARDS)}, "sk": {"S": key}}


def _parse_image(item: Mapping[str, Any]) -> TaggedImage:
    key = item["sk"]["S"].partition(_SEPARATOR)[2]
    return TaggedImage(key, float(item["score"]["N"]), item["source_etag"]["S"])
