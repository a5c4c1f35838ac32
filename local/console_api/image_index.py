"""Images in the index: pages of the list, and the full record of an image."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from darkroom.aws.findings_store import FindingsStore
from darkroom.aws.index import Index
from darkroom.aws.record import Record, from_item, partition_key
from darkroom.findings import findings_to_document

from ..aws import Cloud
from .traces import Document

SCAN_PAGE = 200


@dataclass(frozen=True)
class ImageIndex:
    """Reads the index. ``table`` is the name of its table."""

    cloud: Cloud
    table: str
    index: Index
    archive: FindingsStore

    def page(self, prefix: str, state: str, after: str, limit: int) -> Document:
        """Return up to ``limit`` images, unordered. ``after`` is the ``next`` of the previous page."""
        found: list[Document] = []
        start = {"pk": {"S": urlsafe_b64decode(after).decode()}} if after else None
        while len(found) < limit:
            answer = self._scan(prefix, start)
            for item in answer["Items"]:
                start = {"pk": item["pk"]}
                record = from_item(item)
                if not state or record.state == state:
                    found.append(to_row(record))
                if len(found) == limit:
                    return {"rows": found, "next": urlsafe_b64encode(item["pk"]["S"].encode()).decode()}
            start = answer.get("LastEvaluatedKey")
            if not start:
                break
        return {"rows": found, "next": None}

    def record(self, key: str) -> Document | None:
        """Return the record of ``key`` with its findings, None if there is none."""
        if (record := self.index.get(key)) is None:
            return None
        stored = self.archive.read_record(key)
        known = {name: value for name, value in asdict(record).items() if value not in ("", 0, {}, (), False)}
        found = (
            {"findings": findings_to_document(stored.findings), "generation": stored.findings.generation}
            if stored.findings
            else {}
        )
        return known | to_row(record) | {"version": record.version_id, "sha256": record.sha256} | found

    def _scan(self, prefix: str, start: Any) -> Any:
        start_key = {"ExclusiveStartKey": start} if start else {}
        return self.cloud.dynamodb.scan(
            TableName=self.table,
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": partition_key(prefix)}},
            Limit=SCAN_PAGE,
            **start_key,
        )


def to_row(record: Record) -> Document:
    """Return a row of the list. For a held image the facts are those of the held master."""
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
