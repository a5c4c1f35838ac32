"""Recent failures: rejected uploads, DLQ messages, failed renders, and errors of CloudFront and Lambda themselves."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from darkroom_pipeline.operations.dead_letter_queue import DeadLetterQueue

from ..aws import Cloud
from ..paths import CONTROL
from .edge_errors import EdgeErrors
from .logs import LogReader, parse_trace_id
from .traces import Document
from .untrusted_content import HEAD_BYTES, detect_image_type

IMAGE_PATH = f"{CONTROL}/watch/failed/picture"
SOURCE_ERRORS = frozenset({413, 415, 422})
"""Statuses of errors in the source image. Other 4xx statuses are errors of the request and not listed."""

MAX_AGE_S = 24 * 3600


@dataclass
class Failures:
    """The newest failures of the stack. ``dead_letters`` are queue URLs."""

    cloud: Cloud
    quarantine: str
    dead_letters: tuple[str, ...]
    lines: LogReader
    edge: EdgeErrors
    _rejections: dict[tuple[str, str], Document] = field(default_factory=dict)
    """By key and entity tag: objects in quarantine do not change."""

    def newest(self, now_s: float, limit: int) -> list[Document]:
        """Return the newest failures of all kinds, newest first."""
        found = [*self._list_rejected(limit), *self._list_dead_letters(), *self._list_failed_renders(now_s)]
        found += self.edge.list_since(now_s - MAX_AGE_S)
        return sorted(found, key=lambda one: float(one["at_s"]), reverse=True)[:limit]

    def _list_rejected(self, limit: int) -> Iterator[Document]:
        pages = self.cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=self.quarantine)
        listed: Iterable[Any] = (one for page in pages for one in page.get("Contents", ()))
        for one in heapq.nlargest(limit, listed, key=lambda each: each["LastModified"]):
            name = one["Key"], one["ETag"]
            if name not in self._rejections:
                self._rejections[name] = self._describe_rejection(one["Key"])
            yield self._rejections[name]

    def _describe_rejection(self, key: str) -> Document:
        answer = self.cloud.s3.get_object(Bucket=self.quarantine, Key=key)
        with answer["Body"] as body:
            head = body.read(HEAD_BYTES)
        metadata: Mapping[str, str] = answer["Metadata"]
        return {
            "kind": "refused",
            "key": unquote(metadata.get("source-key", key)),
            "code": metadata.get("code", ""),
            "reason": unquote(metadata.get("reason", "")),
            "at_s": answer["LastModified"].timestamp(),
            "trace_id": parse_trace_id(metadata.get("trace-id", "")),
            "picture": f"{IMAGE_PATH}?key={quote(key, safe='')}" if detect_image_type(head) else None,
        }

    def _list_dead_letters(self) -> Iterator[Document]:
        for url in self.dead_letters:
            for message in DeadLetterQueue(self.cloud.queues, url).peek():
                yield {
                    "kind": "dead-letter",
                    "key": message.subject,
                    "code": message.code,
                    "reason": message.cause,
                    "at_s": message.sent_s,
                    "trace_id": parse_trace_id(message.trace_header),
                    "picture": None,
                }

    def _list_failed_renders(self, now_s: float) -> Iterator[Document]:
        for line in self.lines.newest(now_s - MAX_AGE_S):
            fields, status = line["fields"], line["fields"].get("status", 0)
            if line["function"] == "transform" and line["code"] and (status in SOURCE_ERRORS or status >= 500):
                yield {
                    "kind": "render",
                    "key": str(fields.get("key") or fields.get("path", "")),
                    "code": line["code"],
                    "reason": str(fields.get("reason") or line["message"]),
                    "at_s": line["at_s"],
                    "trace_id": line["trace_id"],
                    "picture": None,
                }
