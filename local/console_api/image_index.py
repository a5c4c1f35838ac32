"""Images in the index: pages of the list, and the full record of an image."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from cli.deployment import list_masters
from darkroom.findings import findings_to_document
from darkroom.image_keys import ObjectNames
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import Record, from_item, partition_key
from darkroom_pipeline.aws.s3 import S3Bucket

from ..aws import Cloud
from .traces import Document

SCAN_PAGE = 200
SOURCE = "source"
"""State of a master in a source bucket that ingest has not written: the index has no record of it."""


@dataclass(frozen=True)
class ImageIndex:
    """Reads the index. ``table`` is the name of its table.

    ``source`` is an existing bucket with masters, and the names that keys have in it; None without one. The list then
    has the objects of this bucket, with their records if there are any.
    """

    cloud: Cloud
    table: str
    index: Index
    archive: FindingsStore
    source: tuple[S3Bucket, ObjectNames] | None = None

    def page(self, prefix: str, state: str, after: str, limit: int) -> Document:
        """Return up to ``limit`` images: those of a source bucket by name, others unordered.

        ``after`` is the ``next`` of the previous page.
        """
        if self.source is not None and state in ("", SOURCE):
            return self._page_of_source(*self.source, prefix, state, after, limit)
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
            return self._source_row(*self.source, key) if self.source is not None else None
        stored = self.archive.read_record(key)
        known = {name: value for name, value in asdict(record).items() if value not in ("", 0, {}, (), False)}
        found = (
            {"findings": findings_to_document(stored.findings), "generation": stored.findings.generation}
            if stored.findings
            else {}
        )
        return known | to_row(record) | {"version": record.version_id, "sha256": record.sha256} | found

    def _page_of_source(
        self, bucket: S3Bucket, names: ObjectNames, prefix: str, state: str, after: str, limit: int
    ) -> Document:
        rows: list[Document] = []
        last = urlsafe_b64decode(after).decode() if after else ""
        for some in batched(list_masters(bucket, names, prefix, last), limit, strict=False):
            records = self.index.get_many([key for key, _ in some])
            for key, listed in some:
                if len(rows) == limit:
                    return {"rows": rows, "next": urlsafe_b64encode(last.encode()).decode()}
                last, record = key, records.get(key)
                if record is None:
                    rows.append(_to_source_row(key, listed.size_bytes, listed.modified_s))
                elif not state:
                    rows.append(to_row(record))
        return {"rows": rows, "next": None}

    def _source_row(self, bucket: S3Bucket, names: ObjectNames, key: str) -> Document | None:
        head = bucket.head(names.name(key)) if key else None
        return _to_source_row(key, head.size_bytes, head.modified_s) if head is not None else None

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


def _to_source_row(key: str, size_bytes: int, modified_s: float) -> Document:
    return {"key": key, "state": SOURCE, "at_s": modified_s, "size_bytes": size_bytes}


def _unix(text: str) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
