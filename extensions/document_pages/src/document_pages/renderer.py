"""Uploads made of documents: the first page of each PDF in a bucket of its own, as PNG.

An event only names a key. What is done follows from what the bucket has, so that events may come twice, in any order,
or at the same time: a document is rendered, and an upload whose document is gone is deleted. Afterwards the document is
looked up again, since the event of a newer one may have been followed meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from darkroom.aws.telemetry import Observer
from darkroom.environment import Environment
from darkroom.errors import DarkroomError, OverLimits, TypeNotAllowed, Unavailable
from darkroom.image_keys import check_key
from darkroom_pipeline.aws.s3 import ObjectHead, OpenObject, S3Bucket
from darkroom_pipeline.conversion import sandbox
from darkroom_pipeline.conversion.sandbox import ProcessLimits

MAX_BYTES = 100 * 1024 * 1024
"""Of a document, which is in memory three times."""
ATTEMPTS = 3
"""Of one event, if the document is replaced each time."""
PNG_TYPE = "image/png"
SOURCE = "document"
"""Metadata of an upload that was rendered: the SHA-256 of the document."""

_WORKER = "document_pages.pdf_worker"
_MAGIC = b"%PDF-"
_MAGIC_WITHIN = 1024
"""Readers accept bytes before the header (PDF 1.7, annex H)."""
_LIMITS = ProcessLimits(memory_bytes=1_200_000_000, output_bytes=64 * 1024 * 1024, cpu_s=30, wall_s=45.0)


class DocumentsEnvironment(Environment):
    """Variables of the documents function. Uploads are below ``upload_prefix``."""

    media_bucket: str = ""
    documents_bucket: str
    uploads_bucket: str
    upload_prefix: str
    max_side_px: int


class Outcome(StrEnum):
    """What was done for a key."""

    RENDERED = "rendered"
    REFUSED = "refused"
    DELETED = "deleted"
    UNCHANGED = "unchanged"


type Tagger = Callable[[str, dict[str, str]], None]
"""Replaces the tags of a document."""


@dataclass(frozen=True)
class DocumentRenderer:
    """Renders documents of ``documents`` into ``uploads`` below ``prefix``, ``side_px`` along the longer side."""

    documents: S3Bucket
    uploads: S3Bucket
    prefix: str
    side_px: int
    tag: Tagger
    observer: Observer
    limits: ProcessLimits = _LIMITS

    def follow(self, key: str) -> Outcome:
        """Render or delete the upload of the document ``key``; raises Unavailable to be called again."""
        outcome = self._follow(key)
        self.observer.count("Documents", outcome=outcome)
        self.observer.log("INFO", "document handled", key=key, outcome=outcome)
        return outcome

    def _follow(self, key: str) -> Outcome:
        for _ in range(ATTEMPTS):
            opened = self.documents.open(key)
            outcome = self._delete(key) if opened is None else self._convert(key, opened)
            current = self.documents.head(key)
            if (current and current.etag) == (opened and opened.head.etag):
                return outcome
        raise Unavailable(detail=f"{key} is replaced again and again")

    def _convert(self, key: str, opened: OpenObject) -> Outcome:
        head, stream = opened
        with stream:
            data = stream.read() if head.size_bytes <= MAX_BYTES else b""
        try:
            image = self._render(key, head, data)
        except DarkroomError as error:
            if error.retryable or error.status >= 500:
                raise
            self.observer.log("WARNING", "document refused", key=key, code=error.code, detail=error.detail)
            self.tag(key, {"darkroom": Outcome.REFUSED, "code": error.code})
            return Outcome.REFUSED
        digest = hashlib.sha256(data).hexdigest()
        self.uploads.put(self.prefix + key, image, headers={"Content-Type": PNG_TYPE}, metadata={SOURCE: digest})
        self.tag(key, {"darkroom": Outcome.RENDERED})
        return Outcome.RENDERED

    def _render(self, key: str, head: ObjectHead, data: bytes) -> bytes:
        check_key(self.prefix + key)
        if head.size_bytes > MAX_BYTES:
            raise OverLimits(f"The document has {head.size_bytes:,} bytes; the limit is {MAX_BYTES:,}")
        if _MAGIC not in data[:_MAGIC_WITHIN]:
            raise TypeNotAllowed("The document is no PDF")
        with self.observer.step("render"):
            return sandbox.run(_WORKER, [self.side_px], data, self.limits)

    def _delete(self, key: str) -> Outcome:
        """Delete the upload that was made of a document. Others stay."""
        head = self.uploads.head(self.prefix + key)
        if head is None or SOURCE not in head.metadata:
            return Outcome.UNCHANGED
        self.uploads.delete(self.prefix + key)
        return Outcome.DELETED
