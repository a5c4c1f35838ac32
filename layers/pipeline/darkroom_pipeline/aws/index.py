"""The index: one DynamoDB table with an item for each key, and claims on them.

A worker claims a key before it changes its state: with the sequencer of its event, which must not be older than the
one in the index, and a lease, after which another attempt may start. ``has_lease`` and ``put_record`` detect a claim
that a newer event took over.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import batched
from typing import Any

from darkroom.errors import Busy

from .clients import translate_errors, write_if
from .record import CLAIMED, READY, REVIEW, WAITING, Record, from_item, pad_sequencer, partition_key, to_item

BY_SHA256 = "by-sha256"
BY_REVIEW = "by-review"
BATCH_SIZE = 100
"""Limit of BatchGetItem."""

_NEWER = "attribute_not_exists(pk) OR sequencer < :sequencer OR (#token = :token AND #state = :claimed)"
_UNHELD = (
    "(sequencer = :sequencer AND #state = :claimed AND (attribute_not_exists(lease_until_s) OR lease_until_s < :now))"
)
_DONE = "(sequencer = :sequencer AND #state <> :claimed AND #token = :instead_of)"


class Index:
    """The index table. Every fault raises Unavailable."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key: str) -> Record | None:
        """Return the record of ``key``, by a consistent read."""
        with translate_errors(f"index get {key}"):
            found = self._client.get_item(TableName=self._table, Key=_name(partition_key(key)), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None

    def get_many(self, keys: Sequence[str]) -> dict[str, Record]:
        """Return the records of ``keys`` by key; a key without a record is missing."""
        found: dict[str, Record] = {}
        for some in batched(dict.fromkeys(keys), BATCH_SIZE, strict=False):
            wanted: Any = {self._table: {"Keys": [_name(partition_key(key)) for key in some], "ConsistentRead": True}}
            while wanted:
                with translate_errors("index batch get"):
                    response = self._client.batch_get_item(RequestItems=wanted)
                records = map(from_item, response["Responses"].get(self._table, []))
                found.update((record.key, record) for record in records)
                wanted = response.get("UnprocessedKeys")
        return found

    def claim(
        self, key: str, sequencer: str, token: str, *, now_s: float, lease_s: float, replaces_token: str = ""
    ) -> bool:
        """Claim ``key`` for the event ``sequencer`` (as S3 wrote it, or padded). ``token`` is new for each attempt.

        ``replaces_token``, the token of a completed attempt, claims its event to repeat it. A request that DynamoDB
        carries out late, after this attempt or another one ended, claims nothing. Raises Busy while another attempt
        has a lease for the same event.
        """
        redone = {":instead_of": {"S": replaces_token}} if replaces_token else {}
        condition = f"{_NEWER} OR {_UNHELD}" + (f" OR {_DONE}" if redone else "")
        with translate_errors(f"index claim {key}"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=_name(partition_key(key)),
                    UpdateExpression="SET #key = :key, sequencer = :sequencer, #token = :token, #state = :claimed, "
                    "lease_until_s = :until REMOVE announced, expires_at_s",
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#key": "key", "#token": "token", "#state": "state"},
                    ExpressionAttributeValues={
                        ":key": {"S": key},
                        ":sequencer": {"S": pad_sequencer(sequencer)},
                        ":token": {"S": token},
                        ":claimed": {"S": CLAIMED},
                        ":now": {"N": str(int(now_s))},
                        ":until": {"N": str(int(now_s + lease_s))},
                        **redone,
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as refusal:
                known = from_item(refusal.response["Item"])
                if known.sequencer > pad_sequencer(sequencer) or known.done:
                    return False
                left_s = max(1.0, known.lease_until_s - now_s)
                raise Busy(retry_in_s=left_s, detail=f"{known.key} is claimed by {known.token}") from refusal
        return True

    def has_lease(self, key: str, token: str) -> bool:
        """Whether the claim with ``token`` is still valid."""
        known = self.get(key)
        return known is not None and known.token == token

    def release_lease(self, key: str, token: str) -> None:
        """End the lease of the claim with ``token``, so that the next attempt need not wait."""
        write_if(
            self._client.update_item,
            f"index release {key}",
            TableName=self._table,
            Key=_name(partition_key(key)),
            UpdateExpression="REMOVE lease_until_s",
            **_while_claimed(token),
        )

    def put_record(self, record: Record) -> bool:
        """Write ``record``; return False if the claim with its ``token`` was lost."""
        put, item = self._client.put_item, to_item(record)
        condition = _while_claimed(record.token)
        return write_if(put, f"index put {record.key}", TableName=self._table, Item=item, **condition)

    def find_by_sha256(self, sha256: str) -> list[Record]:
        """Return records that are served from an upload of these bytes. Writes appear after about a second."""
        with translate_errors("index query by sha256"):
            found = self._client.query(
                TableName=self._table,
                IndexName=BY_SHA256,
                KeyConditionExpression="sha256 = :sha256",
                ExpressionAttributeValues={":sha256": {"S": sha256}},
                Limit=BATCH_SIZE,
            )
        return [record for record in map(from_item, found["Items"]) if record.state == READY and record.master]

    def list_flagged(self) -> list[Record]:
        """Return flagged uploads without an operator's decision, the oldest first; at most 100."""
        with translate_errors("index query by review"):
            found = self._client.query(
                TableName=self._table,
                IndexName=BY_REVIEW,
                KeyConditionExpression="#review = :waiting",
                ExpressionAttributeNames={"#review": REVIEW},
                ExpressionAttributeValues={":waiting": {"S": WAITING}},
                Limit=BATCH_SIZE,
            )
        return [record for record in map(from_item, found["Items"]) if record.awaits_review]

    def delete(self, key: str) -> bool:
        """Delete the record of ``key``; return whether there was one."""
        return self.delete_item(partition_key(key))

    def get_text(self, name: str) -> str:
        """Return the text of the item ``name``, empty if there is none."""
        with translate_errors(f"index note {name}"):
            found = self._client.get_item(TableName=self._table, Key=_name(name), ConsistentRead=True)
        return str(found.get("Item", {}).get("text", {}).get("S", ""))

    def delete_item(self, name: str) -> bool:
        """Delete the item ``name``; return whether there was one."""
        with translate_errors(f"index drop {name}"):
            found = self._client.delete_item(TableName=self._table, Key=_name(name), ReturnValues="ALL_OLD")
        return "Attributes" in found

    def put_text(self, name: str, text: str) -> None:
        """Write ``text`` to the item ``name``, which must not begin with ``image#``."""
        with translate_errors(f"index note {name}"):
            self._client.put_item(TableName=self._table, Item={**_name(name), "text": {"S": text}})


def _name(pk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}}


def _while_claimed(token: str) -> dict[str, Any]:
    """Return the condition that the claim with ``token`` is still valid."""
    return {
        "ConditionExpression": "#token = :token",
        "ExpressionAttributeNames": {"#token": "token"},
        "ExpressionAttributeValues": {":token": {"S": token}},
    }
