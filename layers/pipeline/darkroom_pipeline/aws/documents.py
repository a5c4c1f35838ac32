"""Small documents in the index table, with optimistic concurrency.

A write names the version that it replaces, and is refused if another writer replaced it first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from .clients import translate_errors, write_if
from .record import from_decimals, to_decimals

type Value = str | int | float | bool

_FREE = "attribute_not_exists(#version)"
_SEEN = "#version = :seen"

_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


@dataclass(frozen=True, slots=True)
class Document:
    """``fields`` at ``version``, which counts the writes; 0 and no fields if there is no document."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    version: int = 0


class DocumentStore:
    """Documents in ``table``. Every fault raises Unavailable."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, name: str) -> Document:
        """Return the document ``name``, by a consistent read."""
        with translate_errors(f"entry get {name}"):
            found = self._client.get_item(TableName=self._table, Key=_pk(name), ConsistentRead=True)
        values = {at: from_decimals(_deserializer.deserialize(value)) for at, value in found.get("Item", {}).items()}
        version = values.pop("version", 0)
        values.pop("pk", None)
        return Document(values, int(version))

    def put(self, name: str, fields: Mapping[str, Value], *, replaces: int) -> bool:
        """Write all ``fields`` of ``name``; return False, without a write, if its version is no longer ``replaces``.

        The other writer may be this request itself, sent again after its response was lost.
        """
        values = {at: _serializer.serialize(to_decimals(value)) for at, value in fields.items()}
        item = {**values, **_pk(name), "version": {"N": str(replaces + 1)}}
        put = self._client.put_item
        return write_if(put, f"entry put {name}", TableName=self._table, Item=item, **_condition(replaces))

    def delete(self, name: str, *, seen: int) -> bool:
        """Delete ``name``; return False if its version is no longer ``seen``."""
        delete = self._client.delete_item
        return write_if(delete, f"entry delete {name}", TableName=self._table, Key=_pk(name), **_condition(seen))


def _pk(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}}


def _condition(version: int) -> dict[str, Any]:
    values = {"ExpressionAttributeValues": {":seen": {"N": str(version)}}} if version else {}
    return {
        "ConditionExpression": _SEEN if version else _FREE,
        "ExpressionAttributeNames": {"#version": "version"},
        **values,
    }
