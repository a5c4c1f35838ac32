"""Find the current master of a key: the one that is served, or a newer one that waits for moderation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from darkroom.errors import ObjectChanged
from darkroom.image_keys import HELD_MASTERS, ObjectNames
from darkroom.imaging.source import Source

from ..aws.s3 import S3Bucket
from ..aws.s3_objects import ObjectHead
from .ingest.claims import SEQUENCER, SHA256, VERSION_ID
from .range_source import is_large_pyramid, open_ranges


@dataclass(frozen=True, slots=True)
class CurrentMaster:
    """A master in its bucket.

    ``is_replacement``: it is held, and an earlier master is still served and rendered with its own findings.
    """

    key: str
    bucket: S3Bucket
    head: ObjectHead
    is_replacement: bool = False

    @property
    def etag(self) -> str:
        """The entity tag without quotes, by which findings name their master."""
        return self.head.etag.strip('"')

    @property
    def modified_s(self) -> float:
        """When it was written, in Unix time."""
        return self.head.modified_s

    @property
    def sequencer(self) -> str:
        """The sequencer of its upload's event; "" for a master that was not ingested."""
        return self.head.metadata.get(SEQUENCER, "")

    @property
    def sha256(self) -> str:
        """The SHA-256 of its upload, "" if unknown."""
        return self.head.metadata.get(SHA256, "")

    @property
    def version_id(self) -> str:
        """The version id of its upload, "" if unknown."""
        return self.head.metadata.get(VERSION_ID, "")

    @property
    def is_held(self) -> bool:
        """Whether it waits for moderation."""
        return self.head.key == HELD_MASTERS.name(self.key)

    @contextmanager
    def open_source(self) -> Iterator[Source]:
        """Open its bytes: a stream, or for a large pyramid range reads.

        Raises ObjectChanged if it was deleted or replaced, Unavailable.
        """
        if is_large_pyramid(self.head):
            yield open_ranges(self.bucket, self.head)
            return
        opened = self.bucket.open(self.head.key)
        if opened is None:
            raise ObjectChanged(detail=f"{self.head.key} has gone")
        with opened.body as body:
            if opened.head.etag != self.head.etag:
                raise ObjectChanged(detail=f"{self.head.key} is {opened.head.etag}")
            yield Source.from_stream(iter(body), opened.head.size_bytes)


@dataclass(frozen=True)
class Masters:
    """Masters in ``source`` by ``names``; held masters in ``media``."""

    source: S3Bucket
    names: ObjectNames
    media: S3Bucket

    def find_current(self, key: str) -> CurrentMaster | None:
        """Return the newest master of ``key``, None if there is none. Raises Unavailable."""
        buckets = ((self.source, self.names), (self.media, HELD_MASTERS))
        heads = [(bucket, bucket.head(names.name(key))) for bucket, names in buckets]
        found = [CurrentMaster(key, bucket, head) for bucket, head in heads if head is not None]
        newest = max(found, key=lambda one: one.sequencer, default=None)
        if newest is not None and newest.is_held and len(found) > 1:
            return replace(newest, is_replacement=True)
        return newest
