"""What failed lately: refused uploads, dead letters, renders that ended in an error."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from darkroom.aws.dead_letter_queue import DeadLetterQueue

from ..aws import Cloud
from ..paths import CONTROL
from .logs import LogReader, root
from .traces import Document
from .untrusted_content import HEAD_BYTES, picture_type

PICTURE = f"{CONTROL}/watch/failed/picture"
OF_THE_SOURCE = frozenset({413, 415, 422})
"""Statuses of answers that say what is wrong with a picture. Other refusals are about requests: no sample failed."""

LOOKED_BACK_S = 24 * 3600


@dataclass
class Failures:
    """The newest failures of the stack. ``dead_letters`` are URLs of queues."""

    cloud: Cloud
    quarantine: str
    dead_letters: tuple[str, ...]
    lines: LogReader
    _refusals: dict[tuple[str, str], Document] = field(default_factory=dict)
    """By key and entity tag: what is in quarantine does not change."""

    def newest(self, now_s: float, limit: int) -> list[Document]:
        """All kinds together, the newest first."""
        found = [*self._refused(limit), *self._dead(), *self._renders(now_s)]
        return sorted(found, key=lambda one: float(one["at_s"]), reverse=True)[:limit]

    def _refused(self, limit: int) -> Iterator[Document]:
        pages = self.cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=self.quarantine)
        listed: Iterable[Any] = (one for page in pages for one in page.get("Contents", ()))
        for one in heapq.nlargest(limit, listed, key=lambda each: each["LastModified"]):
            name = one["Key"], one["ETag"]
            if name not in self._refusals:
                self._refusals[name] = self._refusal(one["Key"])
            yield self._refusals[name]

    def _refusal(self, kept_as: str) -> Document:
        answer = self.cloud.s3.get_object(Bucket=self.quarantine, Key=kept_as)
        with answer["Body"] as body:
            head = body.read(HEAD_BYTES)
        told: Mapping[str, str] = answer["Metadata"]
        return {
            "kind": "refused",
            "key": unquote(told.get("source-key", kept_as)),
            "code": told.get("code", ""),
            "reason": unquote(told.get("reason", "")),
            "at_s": answer["LastModified"].timestamp(),
            "trace_id": root(told.get("trace-id", "")),
            "picture": f"{PICTURE}?key={quote(kept_as, safe='')}" if picture_type(head) else None,
        }

    def _dead(self) -> Iterator[Document]:
        for url in self.dead_letters:
            for letter in DeadLetterQueue(self.cloud.queues, url).peek():
                yield {
                    "kind": "dead-letter",
                    "key": letter.subject,
                    "code": letter.code,
                    "reason": letter.cause,
                    "at_s": letter.sent_s,
                    "trace_id": root(letter.trace_header),
                    "picture": None,
                }

    def _renders(self, now_s: float) -> Iterator[Document]:
        for line in self.lines.newest(now_s - LOOKED_BACK_S):
            told, status = line["fields"], line["fields"].get("status", 0)
            if line["function"] == "transform" and line["code"] and (status in OF_THE_SOURCE or status >= 500):
                yield {
                    "kind": "render",
                    "key": str(told.get("key") or told.get("path", "")),
                    "code": line["code"],
                    "reason": str(told.get("reason") or line["message"]),
                    "at_s": line["at_s"],
                    "trace_id": line["trace_id"],
                    "picture": None,
                }
