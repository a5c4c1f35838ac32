"""The index as a list: what is known of every picture, and all that is known of one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from darkroom.aws.findings_store import FindingsStore
from darkroom.aws.index import Index
from darkroom.aws.record import Record, from_item, partition_key
from darkroom.findings import MODERATION, findings_to_document

from ..aws import Cloud
from ..paths import CONTROL
from .traces import Document

HELD_PICTURE = f"{CONTROL}/watch/review/picture"
SCANNED_AT_ONCE = 200


@dataclass(frozen=True)
class ImageIndex:
    """Reads the index. ``table`` is its table."""

    cloud: Cloud
    table: str
    index: Index
    archive: FindingsStore

    def page(self, prefix: str, state: str, after: str, limit: int) -> Document:
        """Up to ``limit`` pictures, in no order; ``after`` is the ``next`` of the page before."""
        found: list[Document] = []
        start = {"pk": {"S": urlsafe_b64decode(after).decode()}} if after else None
        while len(found) < limit:
            answer = self._scan(prefix, start)
            for item in answer["Items"]:
                start = {"pk": item["pk"]}
                record = from_item(item)
                if not state or record.state == state:
                    found.append(row(record))
                if len(found) == limit:
                    return {"rows": found, "next": urlsafe_b64encode(item["pk"]["S"].encode()).decode()}
            start = answer.get("LastEvaluatedKey")
            if not start:
                break
        return {"rows": found, "next": None}

    def record(self, key: str) -> Document | None:
        """Everything that is known of ``key``, None if nothing is."""
        if (record := self.index.get(key)) is None:
            return None
        noted = self.archive.read_record(key)
        known = {name: value for name, value in asdict(record).items() if value not in ("", 0, {}, (), False)}
        found = (
            {"findings": findings_to_document(noted.findings), "generation": noted.findings.generation}
            if noted.findings
            else {}
        )
        return known | row(record) | {"version": record.version_id, "sha256": record.sha256} | found

    def waiting(self) -> list[Document]:
        """Pictures that wait for a person."""
        return [self._flagged(record) for record in self.index.list_flagged()]

    def _flagged(self, record: Record) -> Document:
        noted = self.archive.read_record(record.key).findings
        labels = noted.found[MODERATION].labels if noted and MODERATION in noted.found else ()
        return {
            "key": record.key,
            "score": max((label.score for label in labels), default=None),
            "since_s": _unix(record.updated_at),
            "picture": f"{HELD_PICTURE}?key={quote(record.key, safe='')}",
        }

    def _scan(self, prefix: str, start: Any) -> Any:
        further = {"ExclusiveStartKey": start} if start else {}
        return self.cloud.dynamodb.scan(
            TableName=self.table,
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": partition_key(prefix)}},
            Limit=SCANNED_AT_ONCE,
            **further,
        )


def row(record: Record) -> Document:
    """A line of the list. Of what waits, the facts are those of the picture that waits."""
    facts = record.facts or record.held.facts
    return {
        "key": record.key,
        "state": record.state,
        "at_s": _unix(record.updated_at),
        **{name: facts.get(name) for name in ("format", "width", "height", "size_bytes", "thumbhash")},
        "code": record.refusal.code,
    }


def _unix(text: str) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
