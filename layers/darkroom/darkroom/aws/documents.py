"""Small documents in the index table beside the pictures' own items. Each is replaced only by who has seen it.

A write names the version that it replaces; it is refused where another writer was quicker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from .clients import translate_errors
from .record import from_decimals, to_decimals

type Value = str | int | float | bool

_FREE = "attribute_not_exists(#version)"
_SEEN = "#version = :seen"

_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


@dataclass(frozen=True, slots=True)
class Document:
    """``fields`` as they were at ``version``, which counts the writes; 0 and no fields where there is none."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    version: int = 0


class DocumentStore:
    """The table. Every fault of it is Unavailable."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, name: str) -> Document:
        """The entry ``name`` as it is at this moment."""
        with translate_errors(f"entry get {name}"):
            found = self._client.get_item(TableName=self._table, Key=_pk(name), ConsistentRead=True)
        values = {at: from_decimals(_deserializer.deserialize(value)) for at, value in found.get("Item", {}).items()}
        version = values.pop("version", 0)
        values.pop("pk", None)
        return Document(values, int(version))

    def put(self, name: str, fields: Mapping[str, Value], *, replaces: int) -> bool:
        """Write all ``fields`` of ``name``; False, with nothing written, if its version is not ``replaces`` any more.

        That may be by this very write: where its answer was lost, it was sent again.
        """
        values = {at: _serializer.serialize(to_decimals(value)) for at, value in fields.items()}
        with translate_errors(f"entry put {name}"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item={**values, **_pk(name), "version": {"N": str(replaces + 1)}},
                    **_condition(replaces),
                )
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def delete(self, name: str, *, seen: int) -> bool:
        """Delete ``name``; False if there is none of the version ``seen`` any more."""
        with translate_errors(f"entry delete {name}"):
            try:
                self._client.delete_item(TableName=self._table, Key=_pk(name), **_condition(seen))
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True


def _pk(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}}


def _condition(version: int) -> dict[str, Any]:
    values = {"ExpressionAttributeValues": {":seen": {"N": str(version)}}} if version else {}
    return {
        "ConditionExpression": _SEEN if version else _FREE,
        "ExpressionAttributeNames": {"#version": "version"},
        **values,
    }
